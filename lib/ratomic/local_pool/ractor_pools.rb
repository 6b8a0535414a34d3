# frozen_string_literal: true

require_relative "ractor_pool"

module Ratomic
  class LocalPool
    # All {RactorPool}s of one Ractor: one for each LocalPool that it uses, until the LocalPool is collected. They are
    # in one Ractor-local variable, because Ruby never frees the name of such a variable.
    class RactorPools
      PER_RACTOR = Workers::RactorLocal.new(:ratomic_local_pools)

      # Called when a pool has been collected.
      module Finalizer
        def self.call(_id)
          PER_RACTOR.value&.tidy
        end
      end

      class << self
        # @return [RactorPools] this Ractor's
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
        @ractor_pools = Workers::WEAK_KEYS.new # a RactorPool must not refer to its LocalPool: that can be collected
        # RactorPool => itself, to go through them. Each has a value of its own: with one value for many keys a
        # compaction of Ruby 3.1 damages a WeakMap.
        @all = ObjectSpace::WeakMap.new
        @parents = []
        @lock = Thread::Mutex.new
        exit_hooks.on_end { |thread, last| leave(thread, last) }
      end

      # @param pool [LocalPool]
      # @yieldreturn [RactorPool] a new one
      # @return [RactorPool]
      def of(pool)
        @ractor_pools[pool] || add(pool, yield)
      end

      # Refers to the parent's resources for the rest of this process: a client that is collected may close itself, and
      # that may talk to the server over the parent's connection.
      def after_fork
        @parents.concat(@all.keys.map(&:resources))
      end

      # Runs in a finalizer, and so in the middle of anything that this thread does. So it never waits for the lock. If
      # the lock is taken, it does nothing: the next new entry, or the next pool that is collected, does the same.
      def tidy
        return unless @lock.try_lock

        begin
          @ractor_pools.tidy
        ensure
          @lock.unlock
        end
      end

      private

      # @param new [RactorPool] for a LocalPool that has none here
      def add(pool, new)
        Workers::Trap.explain do
          Workers::Interrupts.deferred do
            @lock.synchronize { @ractor_pools[pool] ||= new.tap { @all[new] = new } }
          end
        end
      end

      def leave(thread, last)
        failure = nil
        @all.keys.each do |ractor_pool|
          ractor_pool.leave(thread, last)
        rescue StandardError => e
          failure ||= e
        end
        raise failure if failure
      end
    end
  end
end
