# frozen_string_literal: true

require_relative "uncopyable"
require_relative "pool/ending"
require_relative "workers/runtime/ractor_local"
require_relative "local_pool/factory"
require_relative "local_pool/ractor_stacks"
require_relative "local_pool/thrown"

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
  # When a Ractor ends, its resources are closed. If nothing refers to the pool any more, its resources are not closed:
  # they are collected like everything else. A forked child makes its own resources. It keeps those of its parent as
  # they are and never uses or closes them, because closing one may talk to its server.
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
    include Uncopyable

    # @return [Integer] how many resources each Ractor may have
    attr_reader :size

    # The slots that `with` has lent to the blocks of a Fiber, by pool.
    LENT = :ratomic_local_pool_lent
    CLOSE = "what closes a resource is given to LocalPool.new, as close:"
    private_constant :LENT, :CLOSE

    # @param size [Integer] the most resources that one Ractor has at a time, at least 1
    # @param timeout [Numeric, nil] seconds that {#with} and {#checkout} wait; nil waits for ever, 0 never waits
    # @param factory [#call] makes one resource; has to be shareable, because every Ractor calls it
    # @param close [#call, nil] closes one resource, has to be shareable; without it +resource.close+ is called, where
    #   there is one
    # @yield the factory as a block; has to be shareable too (+Ractor.shareable_proc+)
    # @raise [Ratomic::ShareableError] if +factory+ or +close+ is not shareable; the message says why and what to write
    # @raise [LocalJumpError] without a factory
    # @raise [ArgumentError] if an argument makes no sense
    def initialize(size: 5, timeout: 5, factory: nil, close: nil, &block)
      raise ArgumentError, "give factory: or a block, not both" if factory && block
      raise LocalJumpError, "a LocalPool needs factory:, or a block that is shareable" unless factory || block

      @size = Arguments.integer(:size, size, 1..Arguments::MAX_SIZE, ArgumentError)
      @timeout = Arguments.seconds(:timeout, timeout, ArgumentError)
      @factory = Factory.check(factory || block, "factory")
      @closer = Factory.check(close, "close") if close
      RactorStacks.watch(self)
      freeze
    end

    # Lends a resource to the block and takes it back afterwards, however the block ends.
    # Inside the block, +with+ in the same thread (strictly: the same Fiber) yields the same resource again at once.
    #
    # A block that is ended from outside may leave its resource in mid-use, with a request sent and the answer not read:
    # then it is closed, and the next user gets a new one. That is so after +Thread#kill+ (also by +item_timeout:+ and
    # +cancel(interrupt: true)+), after +Timeout+, a signal, and whatever else is no StandardError. A resource is kept
    # when the block returns, leaves by +break+, +return+ or +throw+, or raises an error of its own. An error that
    # another thread raised in it (+Thread#raise+) is taken for its own: Ruby does not tell them apart, and
    # {#discard_current} is there for it. To keep the resource in any case: <tt>with(keep: true) { ... }</tt>.
    # +Fiber#kill+ is taken for a +break+. A Fiber that is left inside the block and never resumed (an Enumerator after
    # +next+) keeps the resource until its thread ends.
    #
    # @param timeout [Numeric, nil] seconds to wait for a resource
    # @param keep [Boolean] whether the resource stays in the pool even if the block is ended from outside
    # @yieldparam resource [Object]
    # @return [Object] what the block returns; what it raises passes through as it is
    # @raise [Ratomic::TimeoutError] if none became free in time
    # @raise [Ratomic::ClosedError] if this Ractor's pool was closed
    # @raise [Ratomic::TrapError] in a signal handler
    # @raise [Ratomic::Error] if the factory returns nil, or uses this pool itself
    # @raise what the factory raises; its place is free then
    def with(timeout: @timeout, keep: false, &block)
      raise LocalJumpError, "no block given (with)" unless block

      stack = self.stack
      lent = (Thread.current[LENT] ||= {}.compare_by_identity)
      outer = lent[self]
      return lend(outer, keep, &block) if outer && outer.stack.equal?(stack)

      slot = nil
      begin
        Workers::Interrupts.deferred { slot = lent[self] = claim(stack, timeout) }
        stack.fill(slot)
        lend(slot, keep, &block)
      ensure
        Workers::Interrupts.deferred { give_back(slot, outer, lent) }
      end
    end

    # Takes a resource for longer than a block. Pair it with {#checkin} in an +ensure+; {#with} does that for you.
    # If a thread ends without {#checkin}, its resource is closed, and its place goes to a thread that waits, within a
    # second.
    #
    # @param timeout [Numeric, nil] seconds to wait for a resource
    # @return [Object, nil] the resource, or nil if none became free in time
    # @raise [ArgumentError] with a block, which {#with} takes
    # @raise [Ratomic::ClosedError] if this Ractor's pool was closed
    # @raise [Ratomic::TrapError] in a signal handler
    # @raise [Ratomic::Error] if the factory returns nil
    # @raise what the factory raises; its place is free then
    def checkout(timeout: @timeout)
      Arguments.no_block(block_given?, "checkout", "use with { |resource| ... }, which takes the resource back")
      stack = self.stack
      slot = taken = nil
      begin
        Workers::Interrupts.deferred { slot = stack.claim(Arguments.seconds(:timeout, timeout), lent: false) }
        return if slot.nil?

        stack.fill(slot)
        taken = slot.resource
      ensure
        Workers::Interrupts.deferred { stack.give(slot) unless taken || slot.nil? }
      end
    end

    # Gives a resource back that {#checkout} took, from any thread of this Ractor.
    #
    # @param resource [Object]
    # @return [nil]
    # @raise [Ratomic::OwnershipError] if it is not checked out here: another Ractor's or pool's, given back before, or
    #   lent by {#with}, which takes it back itself
    def checkin(resource)
      with_stack { |stack| stack.checkin(resource) }
      nil
    end

    # Gives a broken resource back that {#checkout} took: it is closed, and the next user gets a new one.
    #
    # @param resource [Object]
    # @return [nil]
    # @raise [Ratomic::OwnershipError] as {#checkin}
    def discard(resource)
      with_stack { |stack| stack.checkin(resource, discard: true) }
      nil
    end

    # Inside {#with}: marks the lent resource as broken. It is closed at the end of the (outermost) block,
    # and the next user gets a new one.
    #
    # @return [nil]
    # @raise [Ratomic::OwnershipError] outside of {#with}
    def discard_current
      slot = Thread.current[LENT]&.[](self)
      raise OwnershipError, "discard_current works inside with { }; no resource is lent here" unless slot

      slot.discarded = true
      nil
    end

    # @return [Integer] how many of this Ractor's +size+ resources are free (made or not) at this moment
    def available
      Workers::Trap.explain { stack.available }
    end

    # Renews this Ractor's resources: idle ones are closed now, those in use when they come back.
    #
    # @return [nil]
    # @raise [ArgumentError] with a block: what closes a resource is given to {#initialize}
    # @raise [Ratomic::ClosedError] if this Ractor's pool was closed
    # @raise [StandardError] the first error of closing a resource, after all were closed
    def reload
      Arguments.no_block(block_given?, "reload", CLOSE)
      Workers::Trap.explain { stack.reload }
      nil
    end

    # Closes this Ractor's pool: idle resources now, those in use when they come back, and every waiter gets a
    # {ClosedError}. Other Ractors' pools stay as they are. A second +close+ does nothing.
    #
    # @return [nil]
    # @raise [ArgumentError] with a block, as {#reload}
    # @raise [StandardError] the first error of closing a resource, after all were closed
    def close
      Arguments.no_block(block_given?, "close", CLOSE)
      Workers::Trap.explain { stack.close }
      nil
    end

    # @return [Boolean] whether this Ractor's pool was closed
    def closed?
      Workers::Trap.explain { stack.closed? }
    end

    # @return [String]
    def inspect
      "#<#{self.class} size=#{size} available=#{available}#{' closed' if closed?}>"
    end

    private

    # @return [ResourceStack] this Ractor's
    def stack
      RactorStacks.here.of(self) { ResourceStack.new(@size, @factory, Closer.new(@closer)) }
    end

    def with_stack
      Workers::Trap.explain { Workers::Interrupts.deferred { yield stack } }
    end

    def claim(stack, timeout)
      timeout = Arguments.seconds(:timeout, timeout)
      stack.claim(timeout, lent: true) || raise(TimeoutError, stack.none_free(timeout))
    end

    def lend(slot, keep)
      raise Error, "the factory of the pool uses this pool itself" if slot.resource.nil?

      result = yield slot.resource
      finished = true
      result
    rescue Exception => error # rubocop:disable Lint/RescueException -- looked at, and passed on as it is
      raise
    ensure
      Workers::Interrupts.deferred { discard_if_interrupted(slot, error) } unless finished || keep
    end

    # @param error [Exception, nil] that has ended the block, or nil if none did
    def discard_if_interrupted(slot, error)
      slot.discarded = true if Pool::Ending.from_outside?(error) || (error.nil? && slot.thrown)
    end

    # @param slot [Slot, nil] nil if there was none
    # @param outer [Slot, nil] what was lent before the fork, in a block around this one
    def give_back(slot, outer, lent)
      return if slot.nil?

      outer ? lent[self] = outer : lent.delete(self)
      slot.stack.give(slot)
    end
  end
end
