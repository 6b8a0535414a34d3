# frozen_string_literal: true

module Ratomic
  module Workers
    # One dispatch: the callable, the items, the cursor from which workers claim chunks, and the completion that takes
    # the results. The run queue holds the batch itself; a worker that takes it puts it back until all items are
    # claimed.
    #
    # Frozen and shareable, without a lock of its own: what changes is in the completion and the cursor. The caller's
    # thread makes it. Then threads of any Ractor may claim items, file results and stop it. Either one call of
    # {#finish} succeeds or one of {#stop}. It never holds results itself.
    #
    # A batch can be a part of another one (#part), with the same items and the same completion, but its own cursor and
    # limit. A part is the rest of a chunk that ended early, because its worker died or because it took too long.
    class Batch
      TICKETS = Counter.new

      # @return [Integer] number of the dispatch in this process
      attr_reader :ticket
      # @return [Array, nil] nil if the items were moved: the coordinator has them
      attr_reader :items
      # @return [Integer] monotonic nanoseconds
      attr_reader :born
      # @return [WaiterCount, nil]
      attr_reader :waiter_count
      # @return [TakeOnce, nil] of an owned dispatch
      attr_reader :handover
      # @return [Integer] index of the first item of a part; 0 of the whole
      attr_reader :from
      # @return [Class] of its chunks
      attr_reader :kind
      attr_reader :callable, :options, :completion, :limit, :weight, :key

      # @param items [Array, nil]
      # @param size [Integer] number of items
      # @param limit [Integer] where the cursor ends: the number of items, or of parcels when they are moved
      # @param weight [Integer] estimated cost of all items, see {WorkEstimate}
      def initialize(items, size, limit, callable, options, weight)
        @ticket = TICKETS.increment
        @items = items
        @callable = callable
        @options = options
        @completion = Completion.new(size, true)
        @cursor = nil
        @limit = limit
        @weight = weight
        @key = Callable.key(target, options.as)
        @waiter_count = (WaiterCount.new if options.cancel_on_abandon)
        @handover = (TakeOnce.new if options.owned?)
        @kind = @handover ? OwnedChunk : Chunk
        @born = Process.clock_gettime(Process::CLOCK_MONOTONIC, :nanosecond)
        @attempt = @from = 0
        @alone = false
        @slow_path = options.watched? || items.instance_of?(Transfer::Holed)
        freeze
      end

      # @return [Integer] number of items of the whole dispatch
      def size
        @completion.size
      end

      # @return [Object] the callable itself, where the batch has only a Ref to it
      def target
        RactorLocalRefs::Ref === @callable ? RactorLocalRefs.read(@callable) : @callable
      end

      # @return [Integer] weight of an item, at least 1
      def mean
        mean = @weight / @completion.size
        mean.zero? ? 1 : mean
      end

      # @return [Float, nil] monotonic seconds at which its `timeout:` is over
      def expiry
        @options.timeout && ((@born / 1e9) + @options.timeout)
      end

      # Whether the items were moved. Then the coordinator has them, and each step of the cursor stands for one parcel.
      def moved?
        @items.nil?
      end

      # Whether items have to be run in the slower way: each with a time limit, or with items missing.
      def slow_path?
        @slow_path
      end

      # Whether its results are not frozen, and are the caller's own.
      def owned?
        !@handover.nil?
      end

      # Claims the next `count` items. Nobody else gets them.
      # @return [Integer, nil] the first of them; nil when there are none left
      def claim(count)
        return @completion.claim(count, @limit) unless @cursor

        first = @cursor.increment(count) - count
        first if first < @limit
      end

      # As {#claim}, of at most that many.
      # @param stride [Integer] see {Chunk#initialize}
      # @return [Chunk, nil]
      def claim_chunk(count, stride)
        return unless (first = claim(count))

        @kind.new(self, target, first, [first + count, @limit].min, stride)
      end

      # @return [Integer] how many are not claimed yet
      def unclaimed
        left = @limit - (@cursor ? @cursor.value : @completion.position)
        left.positive? ? left : 0
      end

      # Whether items of it were claimed.
      def begun?
        unclaimed < size
      end

      # Ends the batch, unless a thread has finished it ({#finish}): no more items can be claimed, no results filed, and
      # each empty slot gets the failure.
      # @yieldparam count [Integer] of these slots, before anybody can see the failure; not called if there are none
      # @return [Integer] the same
      def stop(failure)
        Interrupts.deferred do # an interrupt in between would leave the slots empty
          count = @completion.stop
          next count if count.zero?

          yield count if block_given?
          count
        ensure
          @completion.fill(failure) if count&.positive?
        end
      end

      # Whether #stop was called before it was done.
      def stopped?
        @completion.stopped?
      end

      # To be called by a thread whose results complete the batch; it files them next.
      # @return [Boolean] true for exactly one of the threads; for none after {#stop}
      def finish
        @completion.finish
      end

      # @return [Integer] how often the item has ended its worker; known for the first item of a part only
      def attempt(index)
        index == @from ? @attempt : 0
      end

      # Whether its items are claimed one by one, because one of them is known to end its worker.
      def alone?
        @alone
      end

      # Whether the time that its caller waits is to be measured, see {RouteChooser}.
      # @return [Boolean] true for the first wait of a {Trial}
      def timed?
        false
      end

      # Whether it waits for a moment, before workers get it, for a thread that asks for its results, see {Deferral}.
      def deferred?
        false
      end

      # A batch of which that time is measured.
      class Trial < self
        def initialize(*)
          @waits = Counter.new
          super
        end

        def timed?
          @waits.increment == 1
        end

        # @param costs [Costs]
        # @return [RouteChooser] that learns the time
        def chooser(costs)
          costs.route_chooser
        end

        # @return [Integer] of what the time is compared
        def units
          size
        end
      end

      # As {Trial}, of a larger dispatch.
      class LargeTrial < Trial
        def chooser(costs)
          costs.deferral_chooser(owned?)
        end

        # Dispatches of one callable can have items of very different sizes.
        def units
          weight
        end
      end

      # A batch that the thread which asks for its results is to run.
      class Deferred < LargeTrial
        def deferred?
          true
        end
      end

      # A batch of the items from...to, whose results go to the same completion.
      # @param attempt [Integer] see {#attempt}
      def part(from, to, attempt = 0)
        dup.restrict(from, to, attempt, @alone)
      end

      # As {#part}, with each item in a chunk of its own.
      def isolated_part(from, to, attempt = 0)
        dup.restrict(from, to, attempt, true)
      end

      protected

      def restrict(from, to, attempt, alone)
        @cursor = Counter.new(from)
        @from = from
        @limit = to
        @attempt = attempt
        @alone = alone
        freeze
      end
    end
  end
end
