# frozen_string_literal: true

require_relative "ractor_local"

module Ratomic
  module Workers
    # Blocks that are called when a thread of this Ractor ends. When its main thread ends, the Ractor ends.
    #
    # Ruby has no +at_exit+ for a Ractor. A thread of ours with an +ensure+ would notice the end too, but CRuby 4.0 can
    # deadlock when the program ends while a Ractor is ending other threads, so none of our threads may be alive then.
    # A TracePoint for +thread_end+ sees only the threads of this Ractor, and does not disable compiled code.
    class ExitHooks
      PER_RACTOR = RactorLocal.new(:ratomic_exit_hooks)

      # @return [ExitHooks] this Ractor's
      def self.here
        PER_RACTOR.value || PER_RACTOR.fetch { new }
      end

      def initialize
        @blocks = []
        TracePoint.new(:thread_end) { run(Thread.current) }.enable unless Ractor.current == Ractor.main
      end

      # In the main Ractor the block is not kept and never called: that Ractor ends with the program.
      #
      # @yieldparam thread [Thread] the thread that ends; it runs the block
      # @yieldparam last [Boolean] whether it is the main thread, and the Ractor ends
      # @return [Proc] the block, for {#forget}
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

      def run(thread)
        last = thread == Thread.main
        @blocks.dup.each do |block|
          block.call(thread, last)
        rescue StandardError
          nil # the thread is ending: nobody could rescue this
        end
      end
    end
  end
end
