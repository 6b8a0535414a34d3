# frozen_string_literal: true

module Ratomic
  module Workers
    # The `context:` of the dispatch whose item is running, kept with its thread.
    module Context
      KEY = :__ratomic_workers_context__

      # @return [Object, nil]
      def self.current
        Thread.current.thread_variable_get(KEY)
      end

      def self.current=(context)
        Thread.current.thread_variable_set(KEY, context)
      end

      # Whether the calling thread may run items with that context. Under a Fiber scheduler it may not if the context is
      # another one than the thread's: while an item waits, other Fibers of the thread run, which would find it.
      def self.allowed?(context)
        context.equal?(current) || Fiber.current_scheduler.nil?
      end

      # Replaces one context of the calling thread by another.
      # @return [Object, nil] the second
      def self.switch(before, context)
        self.current = context unless before.equal?(context)
        context
      end

      # Runs the block with the context, and then the one before.
      def self.with(context)
        before = current
        return yield if context.nil? && before.nil?

        begin
          self.current = context
          yield
        ensure
          self.current = before
        end
      end
    end
  end
end
