# frozen_string_literal: true

require_relative "ractor_pool"
require_relative "weak_keys"

module Ratomic
  class LocalPool
    # The rooms that one Ractor has: one for each LocalPool that it uses, for as long as anything refers to the pool.
    # They are stored under one name for all pools, since Ruby never gives up the name of a Ractor's variable.
    class RactorPools
      ALL = Pool::RactorLocal.new(:ratomic_local_pools)
      KEYS = ObjectSpace.const_defined?(:WeakKeyMap) ? ObjectSpace::WeakKeyMap : WeakKeys
      private_constant :KEYS

      # Called when a pool has been collected.
      module Finalizer
        def self.call(_id)
          ALL.value&.tidy
        end
      end

      class << self
        # @return [RactorPools] this Ractor's
        def here
          ALL.value || Pool::Trap.told { Pool::ExitHooks.here.then { |farewell| ALL.fetch { new(farewell) } } }
        end

        # @param pool [LocalPool] a new one, not frozen yet
        def watch(pool)
          ObjectSpace.define_finalizer(pool, Finalizer) if KEYS.equal?(WeakKeys)
        end

        # The process is a forked child.
        def in_child
          ALL.value&.in_child
        end
      end

      # @param farewell [Pool::ExitHooks] this Ractor's
      def initialize(farewell)
        @rooms = KEYS.new # a room does not refer to its pool, so that a pool can be collected
        @all = ObjectSpace::WeakMap.new # room => true, to go through them
        @parents = []
        @lock = Thread::Mutex.new
        farewell.on_end { |thread, last| leave(thread, last) }
      end

      # @param pool [LocalPool]
      # @yieldreturn [RactorPool] a new one
      # @return [RactorPool]
      def of(pool)
        @rooms[pool] || add(pool, yield)
      end

      # The resources of the parent are kept for good, whatever becomes of their pools: a client that is collected may
      # be closed, and closing may talk to the parent's server.
      def in_child
        @parents.concat(@all.keys.map(&:resources))
      end

      # Waits for nothing, since a finalizer may run in the midst of anything. What it leaves goes with the next pool.
      def tidy
        return unless @lock.try_lock

        begin
          @rooms.tidy
        ensure
          @lock.unlock
        end
      end

      private

      # @param new [RactorPool] for a pool that has none
      def add(pool, new)
        Pool::Trap.told do
          Thread.handle_interrupt(Pool::Waiting::NEVER) do
            @lock.synchronize { @rooms[pool] ||= new.tap { @all[new] = true } }
          end
        end
      end

      def leave(thread, last)
        failure = nil
        @all.keys.each do |room|
          room.leave(thread, last)
        rescue StandardError => e
          failure ||= e
        end
        raise failure if failure
      end
    end
  end
end
