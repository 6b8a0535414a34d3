# frozen_string_literal: true

require_relative "../runtime/ractor_local"

module Ratomic
  module Workers
    # What one worker keeps between its items: the object of each {PerWorker}, for as long as anything refers to that.
    # A worker's thread has its own. Any other thread that runs items (a {HelperThread}, a {SupervisedRun}, a caller)
    # borrows one for a call, from those that this Ractor has.
    class WorkerLocals
      KEY = :__ratomic_workers_locals__
      FREE = RactorLocal.new(:ratomic_workers_locals)
      private_constant :KEY, :FREE

      class << self
        # Called once in the thread of a worker that runs the items.
        def begin
          Thread.current.thread_variable_set(KEY, new)
        end

        # @return [WorkerLocals, nil] of the worker that the calling thread is
        def here
          Thread.current.thread_variable_get(KEY)
        end

        # Lends locals to the calling thread; no other thread has them while the block runs. (An Array is changed in one
        # step under the GVL.)
        # @yieldparam worker_locals [WorkerLocals]
        def borrow
          free = FREE.value || FREE.fetch { [] }
          yield worker_locals = take(free)
        ensure
          # If the thread was ended while it used them, their state is unknown, and they are dropped.
          free.push(worker_locals) if worker_locals && Thread.current.status != "aborting"
        end

        private

        def take(free)
          while (found = free.pop)
            return found if found.of_this_process?
          end
          new
        end
      end

      def initialize
        @process = Process.pid
        @objects = WEAK_KEYS.new
      end

      # False in a forked child, which has inherited the locals that threads of the parent use.
      def of_this_process?
        @process == Process.pid
      end

      # @param owner [PerWorker]
      # @return [Array(Object), nil] nil where it was not made
      def [](owner)
        @objects[owner]
      end

      # @param made [Array(Object)] of each its own
      def []=(owner, made)
        @objects[owner] = made
      end
    end
    private_constant :WorkerLocals
  end
end
