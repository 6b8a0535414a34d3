# frozen_string_literal: true

require_relative "resource_stack"

module Ratomic
  class LocalPool
    # All {ResourceStack}s of one Ractor: one for each LocalPool that it uses, until the LocalPool is collected. They
    # are in one Ractor-local variable, because Ruby never frees the name of such a variable. A forked child gets new
    # ones; the end of the Ractor closes them.
    class RactorStacks
      PER_RACTOR = Workers::RactorLocal.new(:ratomic_local_pools)

      # Called when a pool has been collected.
      module Finalizer
        def self.call(_id)
          PER_RACTOR.value&.tidy
        end
      end

      class << self
        # @return [RactorStacks] this Ractor's
        def here
          PER_RACTOR.value || Workers::Trap.explain do
            Workers::ExitHooks.here.then { |exit_hooks| PER_RACTOR.fetch { new(exit_hooks) } }
          end
        end

        # @param pool [LocalPool] a new one, not frozen yet
        def watch(pool)
          ObjectSpace.define_finalizer(pool, Finalizer) if Workers::WEAK_KEYS.equal?(Workers::WeakKeys)
        end

        # The process is a forked child: see {Workers::ForkHook}.
        def after_fork
          PER_RACTOR.value&.after_fork
        end
      end

      # @param exit_hooks [Workers::ExitHooks] this Ractor's
      def initialize(exit_hooks)
        @stacks = Workers::WEAK_KEYS.new # a stack must not refer to its LocalPool: that can be collected
        # Stack => itself, to go through them. Each has a value of its own: with one value for many keys a compaction of
        # Ruby 3.1 damages a WeakMap.
        @all = ObjectSpace::WeakMap.new
        @parents = []
        @lock = Thread::Mutex.new
        exit_hooks.on_end { |thread, last| leave(thread, last) }
      end

      # @param pool [LocalPool]
      # @yieldreturn [ResourceStack] a new one
      # @return [ResourceStack] of this process
      def of(pool, &make)
        find(pool) || add(pool, &make)
      end

      # Refers to the parent's resources for the rest of this process: a client that is collected may close itself, and
      # that may talk to the server over the parent's connection.
      def after_fork
        @parents.concat(@all.keys)
      end

      # Runs in a finalizer, and so in the middle of anything that this thread does. So it never waits for the lock. If
      # the lock is taken, it does nothing: the next new entry, or the next pool that is collected, does the same.
      def tidy
        return unless @lock.try_lock

        begin
          @stacks.tidy
        ensure
          @lock.unlock
        end
      end

      private

      # @return [ResourceStack, nil] of this process
      def find(pool)
        stack = @stacks[pool]
        stack if stack&.of_this_process?
      end

      # @param pool [LocalPool] which has no stack in this process
      def add(pool)
        Workers::Trap.explain do
          Workers::Interrupts.deferred do
            @lock.synchronize { find(pool) || yield.tap { |new| @stacks[pool] = @all[new] = new } }
          end
        end
      end

      def leave(thread, last)
        failure = nil
        @all.keys.each do |stack|
          stack.leave(thread, last)
        rescue StandardError => e
          failure ||= e
        end
        raise failure if failure
      end
    end
  end
end
