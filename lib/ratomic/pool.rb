# frozen_string_literal: true

require_relative "uncopyable"
require_relative "pool/ractor_clients"
require_relative "pool/server_channel"
require_relative "pool/ending"
require_relative "pool/starter"
require_relative "pool/resource_factory"

module Ratomic
  # A pool of mutable objects (buffers, parsers, encoders) that move from owner to owner: at any time one Ractor alone
  # can reach an object.
  #
  # - Blocks: {#with} and {#checkout}, while all objects are out; first come, first served. The calling thread alone
  #   waits, without polling, until +timeout+ is over; +Thread#kill+ and +Timeout+ end the wait. Where more Ractors
  #   compute than Ruby has native threads for them, any of these may take up to five seconds longer: the pool's Ractor
  #   has to get a turn.
  # - Moves: the objects, with all that they refer to, from the pool to the caller and back. What the caller still
  #   refers to afterwards raises +Ractor::MovedError+.
  # - Shared: this object only. It is frozen and shareable: a constant that every Ractor uses.
  #
  # The pool keeps its size. The factory makes a new object for each one that is lost: its Ractor ended, it was dropped
  # without {#checkin}, its block was ended from outside (see {#with}), or it cannot be moved back (it was frozen, or
  # refers to a Thread).
  #
  # A Ractor of the pool's own (its {Server}) keeps the free objects; the head of that class lists the messages between
  # callers and server. A shareable factory runs in it; any other one in the Ractor that made the pool, and the pool
  # then ends with that Ractor. In a forked child the pool starts again on first use, with new objects. If its factory
  # is not shareable, the first use has to be in the child's main Ractor.
  #
  # When a pool is closed, or when nothing refers to it any more, its objects, its Ractor and its threads end.
  #
  # Needs Ruby 4.0 or newer.
  #
  # @example
  #   BUFFERS = Ratomic::Pool.new(5, 1.0) { [] }
  #   BUFFERS.with { |buffer| buffer.clear << "work" }
  class Pool
    include Uncopyable

    NOT_GIVEN = Object.new.freeze
    DEFAULT = 5 # objects, and seconds
    private_constant :NOT_GIVEN, :DEFAULT

    # @return [Integer] how many objects the pool has
    attr_reader :size

    # @overload initialize(size = 5, timeout = 5) { }
    # @overload initialize(size: 5, timeout: 5) { }
    # @param size [Integer] how many objects, 5 if not given; all are made at once
    # @param timeout [Numeric, nil] seconds that {#with} and {#checkout} wait, 5 if not given; nil waits for ever, 0
    #   never waits
    # @yieldreturn [Object] a new object, which must be mutable (not shareable) and movable
    # @raise [ArgumentError, TypeError] which names the argument, also if one is given in both ways
    # @raise what the block raises; nothing is left running then
    # @raise [Ratomic::OwnershipError] if the block makes objects that cannot be moved
    # @raise [NotImplementedError] on a Ruby without +Ractor::Port+
    def initialize(count = NOT_GIVEN, seconds = NOT_GIVEN, size: NOT_GIVEN, timeout: NOT_GIVEN, &factory)
      raise NotImplementedError, "Ratomic::Pool needs Ruby 4.0 or newer (Ractor::Port)" unless RACTORS
      raise ArgumentError, "the pool needs a block that makes an object" unless factory

      @size = Arguments.integer(*one_of(:size, count, size), 1..Arguments::MAX_SIZE)
      @timeout = Arguments.seconds(*one_of(:timeout, seconds, timeout))
      factory = ResourceFactory.of(factory)
      @factory = factory if FrozenCopy.shareable?(factory)
      @channels = Map.new
      RactorClients.here.factories[self] = factory unless @factory
      starter = Starter.new(@size, factory)
      Workers::Interrupts.deferred do # a server that has started is reached by the finalizer
        @channels[:current] = starter.start
        ObjectSpace.define_finalizer(self, RactorClients::Finalizer.new(@channels))
      end
      freeze
    end

    # Lends an object to the block and takes it back afterwards, however the block ends.
    # Inside the block, +with+ lends another object.
    #
    # A block that is ended from outside may leave its object in mid-use: then a new one from the factory takes its
    # place. That is so after +Thread#kill+ (also by +item_timeout:+ and +cancel(interrupt: true)+), after +Timeout+, a
    # signal, and whatever else is no StandardError. An object stays in the pool when the block returns, leaves by
    # +break+, +return+ or +throw+, or raises an error of its own; an error that another thread raised in it
    # (+Thread#raise+) is taken for its own. To keep the object in any case: <tt>with(keep: true) { ... }</tt>.
    # +Fiber#kill+ is taken for a +break+. A Fiber that is left inside the block and never resumed (an Enumerator after
    # +next+) keeps the object until its Ractor ends.
    #
    # @param timeout [Numeric, nil] seconds to wait for an object
    # @param keep [Boolean] whether the object stays in the pool even if the block is ended from outside
    # @yieldparam object [Object] the caller's own until the block ends
    # @return [Object] what the block returns
    # @raise [Ratomic::TimeoutError] if none became free in time
    # @raise [Ratomic::ClosedError] if the pool is closed
    # @raise [Ratomic::OwnershipError] if the block left the object so that it cannot be moved back; it is replaced
    # @raise [Ratomic::TrapError] if a signal handler is the first to use the pool
    def with(timeout: @timeout, keep: false)
      raise LocalJumpError, "no block given (with)" unless block_given?

      client = self.client
      lease = error = nil
      state = :new
      begin
        Workers::Interrupts.deferred { lease = client.lend(timeout, must: true) }
        state = :in_use
        result = yield lease.object
        state = :done
        result
      rescue Exception => error # rubocop:disable Lint/RescueException -- looked at, and passed on as it is
        raise
      ensure
        Workers::Interrupts.deferred do
          interrupted = state == :in_use && !keep && Ending.from_outside?(error)
          interrupted ? client.discard(lease) : client.take_back(lease, state == :done)
        end
      end
    end

    # Takes an object for longer than a block. Pair it with {#checkin} in an +ensure+; {#with} does that for you.
    # An object that nothing refers to any more is replaced, at the latest when it is collected.
    #
    # @param timeout [Numeric, nil] seconds to wait for an object
    # @return [Object, nil] the object, or nil if none became free in time
    # @raise [ArgumentError] with a block, which {#with} takes
    # @raise [Ratomic::ClosedError] if the pool is closed
    # @raise [Ratomic::TrapError] in a signal handler
    def checkout(timeout: @timeout)
      Arguments.no_block(block_given?, "checkout", "use with { |object| ... }, which takes the object back")
      Workers::Trap.explain { take(timeout) }
    end

    # Gives back what {#checkout} took, from any thread of the same Ractor. Does not wait.
    #
    # @param object [Object] from now on a moved object for the caller
    # @return [nil]
    # @raise [Ratomic::OwnershipError] if it is not checked out here: another Ractor's or pool's, checked in or moved
    #   before, or lent by {#with}, which takes it back itself; also if it was frozen or cannot be moved: then it is
    #   replaced
    def checkin(object)
      Workers::Trap.explain { Workers::Interrupts.deferred { client.checkin(object) } }
      nil
    end

    # @return [Integer] how many objects are free at this moment; 0 when the pool is closed
    def available
      channel.free
    end

    # Ends the pool: every waiter and every later caller gets a {ClosedError}. Objects that are out stay with their
    # owners, whose {#checkin} (or end of {#with}) drops them. A second +close+ does nothing.
    #
    # @return [nil]
    # @raise [Ratomic::TrapError] in a signal handler that has interrupted the first use after a fork
    def close
      Workers::Trap.explain { @channels.compute(:current) { |current| current.tap(&:close) } }
      nil
    end

    # @return [Boolean]
    def closed?
      @channels[:current].closed?
    end

    # @return [String]
    def inspect
      "#<#{self.class} size=#{size} available=#{available}#{' closed' if closed?}>"
    end

    private

    # Size and timeout may both be given in two ways.
    # @return [Array(Symbol, Object), Array(String, Object)] the name as {Arguments} takes it, and the value
    def one_of(name, argument, keyword)
      return [name.name, NOT_GIVEN.equal?(argument) ? DEFAULT : argument] if NOT_GIVEN.equal?(keyword)
      return [name, keyword] if NOT_GIVEN.equal?(argument)

      raise ArgumentError, "#{name} is given twice: as an argument (#{Arguments.shown(argument)}) and as a keyword " \
                           "(#{Arguments.shown(keyword)})"
    end

    def take(timeout)
      client = self.client
      lease = object = taken = nil
      begin
        Workers::Interrupts.deferred do
          lease = client.lend(timeout)
          object = client.track(lease) if lease
        end
        taken = true
        object
      ensure
        # A deferred interrupt came in before the caller had the object.
        Workers::Interrupts.deferred { give_up(client, lease, object) } unless taken
      end
    end

    def give_up(client, lease, object)
      object ? client.checkin(object) : client.take_back(lease, false)
    end

    def channel
      current = @channels[:current]
      current.process == Process.pid ? current : renew
    end

    # @return [RactorClient] this Ractor's
    def client
      RactorClients.here.client(self, channel)
    end

    # A forked child has neither the pool's Ractor nor its objects. Several threads and Ractors may come at once; the
    # claim of the Map lets one of them start the pool. An interrupt ends the wait of the others, and the factory where
    # that blocks; the next use starts anew then. A server that has started is always stored.
    def renew
      RactorClients.here.renew(self) do
        @channels.compute(:current) do |current|
          next current if current.process == Process.pid || current.closed?

          factory = RactorClients.here.factories[self] || @factory || raise(ClosedError, no_factory)
          starter = Starter.new(@size, factory)
          Workers::Interrupts.deferred { starter.start }
        end
      end
    end

    def no_factory
      "after the fork this pool has to be used first in the main Ractor, where its factory is; or give it a factory " \
        "that every Ractor can call, with &Ractor.shareable_proc { ... }"
    end
  end
end
