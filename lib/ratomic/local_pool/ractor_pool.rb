# frozen_string_literal: true

require_relative "closer"
require_relative "resource_stack"

module Ratomic
  class LocalPool
    # One Ractor's part of a LocalPool: its {ResourceStack}. A forked child gets a new one; the end of the Ractor closes
    # it.
    class RactorPool
      def initialize(size, factory, close)
        @size = size
        @factory = factory
        @closer = Closer.new(close)
        @lock = Thread::Mutex.new
        set_up
      end

      # @return [ResourceStack]
      def stack
        return @stack if @process == Process.pid

        @lock.synchronize { set_up unless @process == Process.pid }
        @stack
      end

      # @return [Array] of this process, or in a forked child those of the parent until {#stack} is first called
      def resources
        @stack.resources
      end

      # A thread of the Ractor ends: see {ResourceStack#leave}.
      def leave(thread, last)
        @stack.leave(thread, last)
      end

      private

      def set_up
        @stack = ResourceStack.new(@size, @factory, @closer)
        @process = Process.pid
      end
    end
  end
end
