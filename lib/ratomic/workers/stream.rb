# frozen_string_literal: true

module Ratomic
  module Workers
    # The results of a source that may have no end: a bounded window moves along it. A {Failure} stands for an item that
    # failed, its `index` is the number of the item in the stream. An item that was dropped ({DROPPED}) yields nothing.
    #
    #   changes = Ratomic::Workers.stream(wal, Decode, key: ->(change) { change.primary_key })
    #   changes.each { |row| store(row) }
    #   changes.lazy.reject { |row| Ratomic::Workers::Failure === row }.first(10)
    #
    # The source is read in a thread of its own, at most `max_in_flight` items ahead of what was yielded. It may also
    # yield in threads that it starts. Each run through the stream reads the source anew. When the block is left early
    # (`break`, an exception), the run ends: items that are running are left alone, queued ones are cancelled, and no
    # thread stays behind; one that the source has started gets a `ClosedQueueError` when it yields. (External
    # enumeration is different: if `next` of an Enumerator is not called until the end, the threads of its run stay.)
    # The end of the pool is noticed with the next item of the source. In a forked child a run does not go on: it raises
    # a {ShutdownError}.
    #
    # Where a whole window is less work than to wake the threads that it would pass through, the thread that reads the
    # stream runs it itself, as a caller does with a small dispatch: never with `min_batch: 0`, `run: :waiter`,
    # `timeout:`, `item_timeout:`, `move:` or owned results.
    #
    # If the source yields several values at once, the item is an Array of them, as in `to_a`.
    #
    # The object does not change after it was made, so several threads may read it at a time: each run has a {Flow} and
    # threads of its own. The thread that calls `each` owns these, and ends them.
    #
    # With `key:` the items of one key run in order, one after another; items of different keys run in parallel. `each`
    # blocks while there is no result.
    class Stream
      include Enumerable

      # Nanoseconds of work in a worker that a group has, and items in it before that is known.
      GROUP_NS = 2_000_000
      # The same where results are owned: with each group a worker may end.
      OWNED_GROUP_NS = 50_000_000
      MAX_OWNED_GROUP = 4096
      UNMEASURED_ITEMS = 4
      MAX_GROUP = 256
      # A caller runs a dispatch up to the weight that is done before a worker would be awake ({Costs#small}). The
      # consumer runs a window up to so many times that: a window passes through three more threads, each of which may
      # have to be woken, and the consumer, whom no other thread disturbs then, is quicker than the workers were.
      SMALL_WINDOW_FACTOR = 8
      # Places of the window for each worker.
      SMALL_WINDOW = 64
      # The window if the program gives none. Where items are long Strings, it has as many as have about so many bytes,
      # but at least {SMALL_WINDOW} for each worker. That is judged by the first items. The reason: the collector takes
      # what has outlived three collections for something that stays, and frees it only in a full one. To parse half a
      # megabyte of text takes about one collection, so the items of a window of one megabyte outlive three.
      MAX_WINDOW = 1000
      WINDOW_BYTES = 600_000
      SAMPLE_ITEMS = 16
      ENDED = "a thread of the stream was ended, by its source or its key: (Thread.exit or Thread#kill)"
      private_constant :ENDED

      # @see Pool#stream
      def initialize(pool, source, callable, max_in_flight:, key:, ordered:, options:)
        Arguments.integer_or_auto(:max_in_flight, max_in_flight, 1.., ArgumentError)
        Source.check(source, "the source")
        KeyedFlow.check(key) unless key.nil?

        @pool = pool
        @source = source
        @callable = callable
        @narrows = max_in_flight == :auto && key.nil? # more keys can run in parallel in a larger window
        @limit = max_in_flight == :auto ? MAX_WINDOW : max_in_flight
        @key = key
        @ordered = ordered
        choose(options)
      end

      # @yieldparam result [Object, Failure]
      # @return [self, Enumerator] an Enumerator without a block
      # @raise [TrapError] in a signal handler (`trap`), where Ruby allows no locks
      def each
        return enum_for(:each) unless block_given?

        refuse_in_trap
        @pool.check_dispatch(@callable, @by_workers) # raises here what a dispatch would raise in a lane
        flow = make_flow
        flow.group_size = UNMEASURED_ITEMS
        flow.dispatch = ->(items) { dispatch(flow, items) } if direct?
        threads = []
        Interrupts.deferred { start(flow, threads) } # an interrupt in between would leave a thread that nobody ends
        while (results = flow.take { |group| run_here(flow, group.items) })
          results.each do |result|
            yield result
            flow.yielded
          end
        end
        self
      ensure
        stop(flow, threads)
      end

      # @return [String]
      def inspect
        "#<#{self.class} of #{Reflection.class_name_of(@source)} through #{Callable.label(@callable)}>"
      end

      private

      # Sets with which options groups are dispatched.
      def choose(options)
        @options = options
        @here = options.min_batch == :auto && options.by_caller? && !options.owned? # whether the consumer may run items
        @by_workers = @here ? options.with(min_batch: 0) : options
        @by_consumer = options.with(min_batch: @limit + 1) if @here
      end

      def stop(flow, threads)
        Interrupts.deferred { threads&.each(&:kill) }&.each(&:join)
      ensure
        flow&.close
      end

      def refuse_in_trap
        return unless Trap.here?

        raise TrapError, "a stream cannot be read in a signal handler (trap), where Ruby allows no locks; " \
                         "read it in a thread: trap(:USR1) { Thread.new { stream.each { |result| ... } } }"
      end

      def make_flow
        @key ? KeyedFlow.new(@pool.size, lanes, @limit, @ordered, @key) : Flow.new(@pool.size, lanes, @limit, @ordered)
      end

      # Whether the reader may dispatch. In the midst of the source it must run no item, and wait only for room in the
      # queue; and nothing is different for the thread that waits.
      def direct?
        return false if @options.owned? || @options.move || @options.cancel_on_abandon || @options.run != :auto

        @options.on_full == :block && @options.queue_timeout.nil? && Backend.of(@pool.backend).workers? &&
          NestedDispatch.number.nil?
      end

      # Two lanes for each worker: while one waits for its group, the group of the other is queued. With a small window
      # only one, because the groups of two would be too small to pay for their dispatch.
      def lanes
        @limit < @pool.size * SMALL_WINDOW ? @pool.size : @pool.size * 2
      end

      # @param threads [Array] each thread is added when it starts; if the next one cannot be made, the caller ends
      #   these
      def start(flow, threads)
        threads << thread(flow.method(:finish)) { read(flow) }
        lanes.times { threads << thread(flow.method(:fail_with)) { run_groups(flow) } }
      end

      # @param failed [#call] called with the error that has ended the thread, of any class; otherwise the consumer
      #   would wait for ever
      def thread(failed)
        NestedDispatch.thread("ratomic-#{@pool.name}-stream") do
          yield
          done = true
        rescue Exception => e # rubocop:disable Lint/RescueException -- it is raised where the stream is read
          error = e
        ensure
          failed.call(error || ThreadError.new(ENDED)) unless done
        end
      end

      # The first items tell how large the window is. They are measured before a lane can move them away.
      def read(flow)
        measured = @narrows ? 0 : SAMPLE_ITEMS
        bytes = 0
        Source.each(@source) do |item|
          if measured < SAMPLE_ITEMS
            bytes += item.bytesize if String === item
            narrow(flow, bytes) if (measured += 1) == SAMPLE_ITEMS
          end
          flow.add(item)
        end
        flow.complete
      end

      # @param bytes [Integer] of the first {SAMPLE_ITEMS} items, as far as they are Strings
      def narrow(flow, bytes)
        flow.narrow([WINDOW_BYTES * SAMPLE_ITEMS / [bytes, 1].max, @pool.size * SMALL_WINDOW].max)
      end

      def run_groups(flow)
        while (group = flow.group(most = flow.group_size))
          next flow.settle(group, true) if FlowDirect::DirectGroup === group

          started = Clock.nanoseconds
          size = group.items.size
          results, work = run(flow, group)
          flow.deliver(group, results)
          took = Clock.nanoseconds - started
          flow.group_size = next_size(most, size, work, took)
        end
      end

      # @return [Future]
      def dispatch(flow, items)
        future = @pool.dispatch_async(items, @callable, @by_workers)
        flow.by_consumer = true if @here && here?(flow, items)
        work = future.work
        flow.group_size = next_size(flow.group_size, items.size, work, nil) if work
        kept = future
      ensure
        future&.cancel unless kept
      end

      # @return [Array] the results, and the time that they are expected to take in a worker, if that is known
      def run(flow, group)
        future = dispatch(flow, group.items)
        group.items = nil # the workers have their own: what waits for long is old garbage later
        [future.slots, future.work]
      ensure
        future&.cancel
      end

      # Whether the window is so small that the consumer runs it.
      def here?(flow, items)
        @pool.quick?(items, @callable, @options, flow.limit)
      end

      # @return [Array] the results
      def run_here(flow, items)
        future = @pool.dispatch_async(items, @callable, @by_consumer)
        flow.by_consumer = false unless ResolvedFuture === future && here?(flow, items)
        future.slots
      ensure
        future&.cancel
      end

      # Groups grow until they pay for their dispatch, and shrink at once. The size follows the measured work of the
      # items. Where that is not known, it follows the time that the group took, and grows to twice at a time at most.
      # @param work [Float, nil] nanoseconds
      def next_size(most, size, work, took)
        fit = (@options.owned? ? OWNED_GROUP_NS : GROUP_NS) * size / [[work, took].compact.min.to_i, 1].max
        return fit.clamp(1, most) if fit < most
        return most if size < most && work.nil?

        [fit, @options.owned? ? MAX_OWNED_GROUP : MAX_GROUP, @limit, *(most * 2 unless work)].min
      end
    end
  end
end
