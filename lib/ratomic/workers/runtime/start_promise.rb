# frozen_string_literal: true

require_relative "interrupts"

module Ratomic
  module Workers
    # What a Ractor makes at its start for the thread that has started it: a promise that the Ractor fulfils, once.
    # Either of the two may be gone when the other one is ready. Shareable.
    class StartPromise
      def initialize
        @answers = Queue.new(1)
        freeze
      end

      # To be called by the new Ractor.
      # @yieldreturn [Object] shareable, and no String
      # @return [Object, nil] what the block returns; nil if it raised, or if nobody waits any more
      def fulfil
        made = yield
        @answers.push(made)
        made
      rescue Exception => e # rubocop:disable Lint/RescueException -- whatever it is, a thread waits for an answer
        refuse("#{e.class}: #{e.message}")
      end

      # Waits until the promise is fulfilled. An interrupt ends the wait, and what the Ractor makes is then abandoned:
      # by the block here if it is there already, or by the Ractor, which gets nil from {#fulfil}. The caller has
      # interrupts deferred.
      # @param what [String] that starts, for the message
      # @yieldparam late [Object] what was made for nobody
      # @return [Object]
      # @raise [ThreadError] if the Ractor could not make it; mostly because Ruby could make no thread
      def await(what)
        made = Interrupts.on_blocking { @answers.pop }
        raise ThreadError, "#{what} could not start: #{made}" if String === made

        made
      ensure
        @answers.close
        late = made ? nil : @answers.try_pop
        yield late unless late.nil? || String === late
      end

      private

      # @return [nil]
      def refuse(reason)
        @answers.push(reason.freeze)
        nil
      rescue ClosedQueueError
        nil # nobody waits
      end
    end
  end
end
