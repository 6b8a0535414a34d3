# frozen_string_literal: true

require_relative "../runtime/ractor_local"

module Ratomic
  module Workers
    # What one worker keeps between its items: the object of each {PerWorker}, for as long as anything refers to that.
    # A worker's thread has its own. A thread beside them that runs items (a {HelperThread}, a {SupervisedRun}, a
    # caller) borrows one for a call, from those that this Ractor has.
    class WorkerLocals
      KEY = :__ratomic_workers_belongings__
      KEYS = ObjectSpace.const_defined?(:WeakKeyMap) ? ObjectSpace::WeakKeyMap : LocalPool::WeakKeys
      SHELF = RactorLocal.new(:ratomic_workers_belongings)
      private_constant :KEY, :KEYS, :SHELF

      class << self
        # The calling thread is a worker's.
        def begin
          Thread.current.thread_variable_set(KEY, new)
        end

        # @return [WorkerLocals, nil] of the worker that the calling thread is
        def here
          Thread.current.thread_variable_get(KEY)
        end

        # Nobody else has them while the block runs. (An Array is changed in one step under the GVL.)
        # @yieldparam worker_locals [WorkerLocals]
        def borrow
          shelf = SHELF.value || SHELF.fetch { [] }
          yield worker_locals = take(shelf)
        ensure
          # What was in use when its thread was ended is not used again.
          shelf.push(worker_locals) if worker_locals && Thread.current.status != "aborting"
        end

        private

        def take(shelf)
          while (found = shelf.pop)
            return found if found.of_this_process?
          end
          new
        end
      end

      def initialize
        @process = Process.pid
        @objects = KEYS.new
      end

      # A fork has left the child with what the parent uses.
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
