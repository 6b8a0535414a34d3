# frozen_string_literal: true

require_relative "ractor_client"
require_relative "../workers/runtime/ractor_local"

module Ratomic
  class Pool
    # What one Ractor keeps for all pools: a client for each pool that it uses, and the factories of the pools that it
    # has made.
    class RactorClients
      # @return [ObjectSpace::WeakKeyMap] pool => factory
      attr_reader :factories

      PER_RACTOR = Workers::RactorLocal.new(:ratomic_pool_clients)

      # Closes the server of a pool that has been collected. Shareable, because the collector may call it in any Ractor;
      # it does not refer to the pool, which could never be collected then.
      class Finalizer
        # @param channels [Ratomic::Map] the pool's {ServerChannel} in this process, as +:current+
        def initialize(channels)
          @channels = channels
          freeze
        end

        # @param _id [Integer] of the collected pool
        def call(_id)
          @channels[:current].close
          RactorClients.tidy
        end
      end

      # @return [RactorClients] this Ractor's
      def self.here
        PER_RACTOR.value || Workers::Trap.explain do
          Workers::ExitHooks.here.then { |exit_hooks| PER_RACTOR.fetch { new(exit_hooks) } }
        end
      end

      # @param exit_hooks [Workers::ExitHooks] this Ractor's
      def initialize(exit_hooks)
        @factories = ObjectSpace::WeakKeyMap.new
        @renewals = ObjectSpace::WeakKeyMap.new # pool => lock
        @clients = ObjectSpace::WeakKeyMap.new # a client must not refer to its pool: a pool can be collected
        @open = []
        @lock = Thread::Mutex.new
        exit_hooks.on_end { |_, last| @open.each(&:leave) if last }
      end

      # A pool has been collected. This runs in a finalizer, and so in the middle of anything that this Ractor does. So
      # it never waits for the lock. If the lock is taken, the client is closed when the next pool is used.
      def self.tidy
        PER_RACTOR.value&.tidy
      end

      # @param channel [ServerChannel] of the pool in this process
      # @return [RactorClient]
      def client(pool, channel)
        client = @clients[pool]
        client && client.channel.equal?(channel) ? client : synchronize { set_up(pool, channel) }
      end

      def synchronize(&block)
        Workers::Trap.explain { Workers::Interrupts.deferred { @lock.synchronize(&block) } }
      end

      # Runs the block, which starts the pool after a fork, for one Fiber of this Ractor at a time. (The claim of a Map
      # belongs to a thread: another Fiber of it would get an error.) Interrupts come where it blocks.
      def renew(pool, &block)
        lock = synchronize { @renewals[pool] ||= Thread::Mutex.new }
        Workers::Interrupts.on_blocking { Workers::Interrupts.synchronize(lock, &block) }
      end

      def tidy
        return unless @lock.try_lock

        begin
          close_clients
        ensure
          @lock.unlock
        end
      end

      private

      def set_up(pool, channel)
        client = @clients[pool]
        return client if client && client.channel.equal?(channel)

        close_clients
        @open << (client = RactorClient.new(channel))
        @clients[pool] = client
      end

      # A port stays in its Ractor until it is closed, also when nothing refers to it any more.
      def close_clients
        @open.reject! { |client| client.closed? && client.close }
      end
    end
  end
end
