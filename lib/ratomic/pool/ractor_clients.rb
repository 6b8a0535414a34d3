# frozen_string_literal: true

require_relative "ractor_client"
require_relative "exit_hooks"
require_relative "ractor_local"
require_relative "trap"

module Ratomic
  class Pool
    # What one Ractor keeps of all pools: its desk at each pool that it uses, and the factories of those that it made.
    class RactorClients
      # @return [ObjectSpace::WeakKeyMap] pool => factory
      attr_reader :factories

      ALL = RactorLocal.new(:ratomic_pool_desks)

      # @return [RactorClients] this Ractor's
      def self.here
        ALL.value || Trap.told { ExitHooks.here.then { |farewell| ALL.fetch { new(farewell) } } }
      end

      # @param farewell [ExitHooks] this Ractor's
      def initialize(farewell)
        @factories = ObjectSpace::WeakKeyMap.new
        @desks = ObjectSpace::WeakKeyMap.new # a desk does not refer to its pool, so that a pool can be collected
        @open = []
        @lock = Thread::Mutex.new
        farewell.on_end { |_, last| @open.each(&:leave) if last }
      end

      # A pool has been collected. A finalizer may run in the midst of whatever this Ractor does, so this waits for
      # nothing; what it leaves goes when the next pool is used.
      def self.tidy
        ALL.value&.tidy
      end

      # @param link [ServerChannel] the pool's present one
      # @return [RactorClient]
      def desk(pool, link)
        desk = @desks[pool]
        desk && desk.link.equal?(link) ? desk : synchronize { set_up(pool, link) }
      end

      def synchronize(&block)
        Trap.told { Thread.handle_interrupt(Waiting::NEVER) { @lock.synchronize(&block) } }
      end

      def tidy
        return unless @lock.try_lock

        begin
          close_desks
        ensure
          @lock.unlock
        end
      end

      private

      def set_up(pool, link)
        desk = @desks[pool]
        return desk if desk && desk.link.equal?(link)

        close_desks
        @open << (desk = RactorClient.new(link))
        @desks[pool] = desk
      end

      # Ports stay in their Ractor until they are closed, also when nothing refers to them any more.
      def close_desks
        @open.reject! { |desk| desk.link.closed? && desk.close }
      end
    end
  end
end
