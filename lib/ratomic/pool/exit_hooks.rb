# frozen_string_literal: true

require_relative "ractor_local"

module Ratomic
  class Pool
    # Tells when a thread of this Ractor ends, and with its first thread the Ractor itself.
    #
    # Ruby has no +at_exit+ for a Ractor. A thread that waits for its own end in an +ensure+ would do, but CRuby 4.0 can
    # deadlock when the program ends while a Ractor is ending other threads; so no thread of ours may be there by then.
    # The event +thread_end+ reaches this Ractor's threads only, and leaves compiled code as it is.
    class ExitHooks
      ALL = RactorLocal.new(:ratomic_farewell)

      # @return [ExitHooks] this Ractor's
      def self.here
        ALL.value || ALL.fetch { new }
      end

      def initialize
        @blocks = []
        TracePoint.new(:thread_end) { tell(Thread.current) }.enable unless Ractor.current == Ractor.main
      end

      # In the main Ractor the block is never called, and not kept: that one ends with the program.
      #
      # @yieldparam thread [Thread] the one that ends, and runs the block
      # @yieldparam last [Boolean] whether its Ractor ends with it
      # @return [Proc] the block, to be forgotten when it is of no use any more
      def on_end(&block)
        @blocks.push(block) unless Ractor.current == Ractor.main
        block
      end

      # @param block [Proc] from {#on_end}
      # @return [void]
      def forget(block)
        @blocks.delete_if { |one| one.equal?(block) }
      end

      private

      def tell(thread)
        last = thread == Thread.main
        @blocks.dup.each do |block|
          block.call(thread, last)
        rescue StandardError
          nil # the thread has ended: nobody is left to hear of it
        end
      end
    end
  end
end
