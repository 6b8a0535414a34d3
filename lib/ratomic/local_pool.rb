# frozen_string_literal: true

require_relative "pool/farewell"
require_relative "pool/storage"
require_relative "pool/waiting"
require_relative "local_pool/factory"
require_relative "local_pool/room"

module Ratomic
  # A pool of live resources (Redis, database, HTTP clients) that never leave the Ractor that made them.
  #
  # - Blocks: {#with} and {#checkout}, while all +size+ resources of this Ractor are in use; first come, first served.
  #   The calling thread alone waits, until +timeout+ is over; +Thread#kill+ and +Timeout+ end the wait.
  # - Moves: nothing. A resource is made, used and closed in one Ractor.
  # - Shared: this object only. It is frozen and shareable (a constant will do), and holds no resource: each Ractor that
  #   uses it has a private pool of up to +size+ resources behind it, which the threads of that Ractor share.
  #
  # Resources are made one by one when they are first needed, and the one that came back last is lent first.
  # When a Ractor ends, its resources are closed. A forked child makes its own; its parent's it keeps as they are and
  # never uses or closes them, because closing one may talk to its server.
  #
  # Works the same on every Ruby that the gem supports.
  #
  # @example
  #   RedisFactory = Struct.new(:host) do
  #     def call = RedisClient.new(host: host)
  #   end
  #   REDIS = Ratomic::LocalPool.new(size: 10, timeout: 1, factory: RedisFactory.new("127.0.0.1").freeze)
  #   REDIS.with { |client| client.call("PING") }
  class LocalPool
    # @return [Integer] how many resources each Ractor may have
    attr_reader :size

    # @param size [Integer] the most resources that one Ractor has at a time, at least 1
    # @param timeout [Numeric, nil] seconds that {#with} and {#checkout} wait; nil waits for ever, 0 never waits
    # @param factory [#call] makes one resource; has to be shareable, because every Ractor calls it
    # @param close [#call, nil] closes one resource, has to be shareable; without it +resource.close+ is called, where
    #   there is one
    # @yield the factory as a block; has to be shareable too (+Ractor.shareable_proc+)
    # @raise [Ratomic::ShareableError] if +factory+ or +close+ is not shareable; the message says why and what to write
    # @raise [ArgumentError, TypeError] if an argument makes no sense
    def initialize(size: 5, timeout: 5, factory: nil, close: nil, &block)
      raise ArgumentError, "give factory: or a block, not both" if factory && block

      @size = Pool::Waiting.size(size)
      @timeout = Pool::Waiting.timeout(timeout)
      @factory = Factory.check(factory || block, "factory")
      @closer = Factory.check(close, "close") if close
      @storage = Pool::Storage.new(:"ratomic_local_pool_#{__id__}")
      @current = :"ratomic_local_pool_current_#{__id__}"
      freeze
    end

    # Lends a resource to the block and takes it back afterwards, however the block ends.
    # Inside the block, +with+ in the same thread (strictly: the same Fiber) yields the same resource again at once.
    #
    # @param timeout [Numeric, nil] seconds to wait for a resource
    # @yieldparam resource [Object]
    # @return [Object] what the block returns; what it raises passes through as it is
    # @raise [Ratomic::TimeoutError] if none became free in time
    # @raise [Ratomic::ClosedError] if this Ractor's pool was closed
    def with(timeout: @timeout)
      raise LocalJumpError, "no block given (with)" unless block_given?

      stock = room.stock
      outer = Thread.current[@current]
      return yield(outer.resource) if outer && outer.stock.equal?(stock)

      slot = nil
      begin
        Thread.handle_interrupt(Pool::Waiting::NEVER) do
          slot = stock.claim(timeout, lent: true) || raise(TimeoutError, stock.none_free(timeout))
          Thread.current[@current] = slot
        end
        stock.fill(slot)
        yield slot.resource
      ensure
        Thread.handle_interrupt(Pool::Waiting::NEVER) { give_back(stock, slot, outer) }
      end
    end

    # Takes a resource for longer than a block. Pair it with {#checkin} in an +ensure+; {#with} does that for you.
    # A thread that ends without {#checkin} loses its resource: it is closed, and its place goes to the next in line.
    #
    # @param timeout [Numeric, nil] seconds to wait for a resource
    # @return [Object, nil] the resource, or nil if none became free in time
    # @raise [Ratomic::ClosedError] if this Ractor's pool was closed
    def checkout(timeout: @timeout)
      stock = room.stock
      slot = taken = nil
      begin
        Thread.handle_interrupt(Pool::Waiting::NEVER) { slot = stock.claim(timeout, lent: false) }
        return if slot.nil?

        stock.fill(slot)
        taken = slot.resource
      ensure
        Thread.handle_interrupt(Pool::Waiting::NEVER) { stock.give(slot) unless taken || slot.nil? }
      end
    end

    # Gives a resource back that {#checkout} took, from any thread of this Ractor.
    #
    # @param resource [Object]
    # @return [nil]
    # @raise [Ratomic::OwnershipError] if it is not checked out here: another Ractor's or pool's, given back before, or
    #   lent by {#with}, which takes it back itself
    def checkin(resource)
      Thread.handle_interrupt(Pool::Waiting::NEVER) { room.stock.checkin(resource) }
      nil
    end

    # Gives a broken resource back that {#checkout} took: it is closed, and the next user gets a new one.
    #
    # @param resource [Object]
    # @return [nil]
    # @raise [Ratomic::OwnershipError] as {#checkin}
    def discard(resource)
      Thread.handle_interrupt(Pool::Waiting::NEVER) { room.stock.checkin(resource, discard: true) }
      nil
    end

    # Inside {#with}: marks the lent resource as broken. It is closed at the end of the (outermost) block,
    # and the next user gets a new one.
    #
    # @return [nil]
    # @raise [Ratomic::OwnershipError] outside of {#with}
    def discard_current
      slot = Thread.current[@current]
      raise OwnershipError, "discard_current works inside with { }; no resource is lent here" unless slot

      slot.discarded = true
      nil
    end

    # @return [Integer] how many of this Ractor's +size+ resources are free (made or not) at this moment
    def available
      room.stock.available
    end

    # Renews this Ractor's resources: idle ones are closed now, those in use when they come back.
    #
    # @return [nil]
    # @raise [Ratomic::ClosedError] if this Ractor's pool was closed
    # @raise [StandardError] the first error of closing a resource, after all were closed
    def reload
      room.stock.reload
      nil
    end

    # Closes this Ractor's pool: idle resources now, those in use when they come back, and every waiter gets a
    # {ClosedError}. Other Ractors' pools stay as they are. A second +close+ does nothing.
    #
    # @return [nil]
    # @raise [StandardError] the first error of closing a resource, after all were closed
    def close
      room.stock.close
      nil
    end

    # @return [Boolean] whether this Ractor's pool was closed
    def closed?
      room.stock.closed?
    end

    # @return [String]
    def inspect
      "#<#{self.class} size=#{size} available=#{available}#{' closed' if closed?}>"
    end

    private

    def room
      @storage.value || Pool::Farewell.here.then do |farewell|
        @storage.fetch { Room.new(@size, @factory, @closer, farewell) }
      end
    end

    def give_back(stock, slot, outer)
      return if slot.nil?

      Thread.current[@current] = outer
      stock.give(slot)
    end
  end
end
