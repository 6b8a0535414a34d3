# frozen_string_literal: true

module Ratomic
  module Workers
    # One call of `dispatch_async`, from the caller's arguments to the future.
    class Dispatch
      # Of at most this many items a snapshot is made first. With more, the snapshot would often be wasted, because
      # workers run them.
      MAX_SNAPSHOT_ITEMS = 256
      private_constant :MAX_SNAPSHOT_ITEMS

      # @param engine [Engine]
      # @param items [Array, Enumerable]
      # @param callable [#call]
      # @param options [Options]
      # @return [Future]
      def self.future(engine, items, callable, options)
        if options.plain? && engine.for_caller?
          cache = engine.costs.caller_runs_cache
          unless (started = cache.take(callable, items)) # it refuses an Array of which something is not frozen
            given = items
            items = Sharing.snapshot(given, MAX_SNAPSHOT_ITEMS)
            started = cache.take(callable, items) unless items.equal?(given)
          end
          future = CallerRuns.at_once(engine, items, callable, options, started) if started
          return future if future
        end
        admit(engine, Source.list(items), callable, options)
      end

      # Raises what a dispatch of the callable raises, whatever its items are. Dispatches nothing, and counts nothing.
      # @return [void]
      # @raise [CallableError, ShutdownError]
      def self.check(engine, callable, options)
        _, admitted = assign(engine, callable, options)
      ensure
        RactorLocalRefs.take(admitted) if RactorLocalRefs::Ref === admitted
      end

      # Decides who runs the items.
      # @param items [Array]
      # @return [Future]
      def self.admit(engine, items, callable, options)
        there, admitted = assign(engine, callable, options)
        there.metrics.fallback_dispatches.increment unless there.equal?(engine)
        there.metrics.note_pipeline(callable)
        future, kind = by_caller(there, items, admitted, options)
        return future if future

        dispatch = new(there, items, admitted, options, kind)
        dispatch.future
      ensure # an error or an interrupt came before the dispatch was to drop it
        RactorLocalRefs.take(admitted) if RactorLocalRefs::Ref === admitted && !dispatch&.begun?
      end
      private_class_method :admit

      # @return [Array(Engine, Object)] where it goes, and the callable as it is admitted there, with its `around:`
      def self.assign(engine, callable, options)
        raise ShutdownError, engine.refusal unless engine.open?

        there, admitted = engine.fallback&.assign(engine, callable, options) || [engine, engine.admit(callable)]
        admitted = surround(there, callable, admitted, options.around) if options.around
        [there, admitted]
      end

      # @param admitted [Object] the callable, or a Ref to it. Such a Ref is dropped; the new Ref is to the {Around}
      # @return [Object, RactorLocalRefs::Ref] the {Around} of both, as the engine admits it
      def self.surround(engine, callable, admitted, around)
        RactorLocalRefs.take(admitted) if RactorLocalRefs::Ref === admitted
        wrapped = Around.wrap(callable, around)
        engine.admit_around(wrapped)
      end
      private_class_method :assign, :surround

      # @return [Array(ResolvedFuture, Class)] the future when the caller has run the items; the class of the batch
      def self.by_caller(engine, items, callable, options)
        return nil, Batch if !options.by_caller? || RactorLocalRefs::Ref === callable || !engine.for_caller?
        return nil, Batch unless Context.allowed?(options.context)

        kind = nil
        way = options.owned? ? OwnedCallerRuns : CallerRuns
        future = way.future(engine, items, callable, options) { kind = Batch::Trial }
        return future, nil if future

        [nil, kind || Deferral.kind(engine, items, Callable.key(callable, options.as), options)]
      end
      private_class_method :by_caller

      # @param kind [Class] of the batch
      def initialize(engine, items, callable, options, kind)
        @engine = engine
        @options = options
        @items = items
        @callable = callable
        @kind = kind
        @batch = make_batch
        @begun = false
      end

      # Whether the engine has counted it. From then on it drops the Ref to the callable when the dispatch ends.
      def begun?
        @begun
      end

      # @return [Future]
      def future
        size = @batch.size # here, so that no interrupt comes between `begin` and the count
        begin
          @begun = true
          @engine.accept(@batch, size)
          taken = false
          run
          taken = true
          (@batch.owned? ? OwnedFuture : Future).new(@engine, @batch)
        ensure # the caller was refused, or killed while it waited for room
          @engine.withdraw(@batch) unless taken
        end
      end

      private

      def make_batch
        if @options.move
          @items = Moving.prepare(@items)
          count = @items.size
          return Batch.new(nil, count, MoveBuffer.number(count, @engine.size), @callable, @options,
                           WorkEstimate.of(@items))
        end
        items = Transfer.pack(@items)
        @kind.new(items, items.size, items.size, @callable, @options, WorkEstimate.of(items))
      end

      def run
        @engine.metrics.count_batch(@batch)
        @engine.emit(:dispatched, @batch, items: @batch.size) unless @engine.subscribers.none?
        return @engine.finish(@batch) if @batch.size.zero?
        return run_here if !@engine.backend.workers? || (@batch.moved? && NestedDispatch.in?(@engine))
        return if enqueue == :done

        @engine.run_queue.reserve.fill(@engine, @batch)
        MoveBuffer.hand_over(@engine, @batch, @items) if @batch.moved?
        @engine.enforce_deadlines(@batch)
      end

      # Puts the batch into the run queue, or keeps it for the thread that asks for its results.
      # @return [:done, nil] :done when nothing is left to do
      def enqueue
        return Deferral.keep(@engine, @batch) if @batch.deferred?
        return (@engine.run_queue.wake_one if wide?) if push

        reject if @options.on_full == :raise
        return overflow if overflow?

        NestedDispatch.wait(@engine, @options.queue_timeout) do |seconds|
          @engine.run_queue.push(@batch, seconds)
        end || reject
      rescue ::ClosedQueueError
        raise ShutdownError, @engine.refusal
      end

      # If the run queue is full, dispatches in it that were cancelled are removed.
      def push
        @engine.run_queue.try_push(@batch) || (@engine.make_room && @engine.run_queue.try_push(@batch))
      end

      # An item must not wait for room: only its own worker might be able to make room. See {NestedDispatch}.
      def overflow?
        NestedDispatch.in?(@engine) || (@options.on_full == :caller_runs && !@batch.moved?)
      end

      # Whether there is enough work for two workers, so that a second one is to be woken at once.
      def wide?
        return false if @batch.limit == 1 || @options.sequential

        cost = @engine.costs.of(@batch.key)
        cost.nil? || cost * @batch.weight > Chunker::MAX_CHUNK_CONTENDED_NS
      end

      def overflow
        @engine.metrics.overflowed.increment
        run_here
        :done
      end

      # Runs the batch now; its future is done when the caller gets it. Moved items of a nested dispatch are run here
      # too, because a {HelperThread} could not run them later.
      def run_here
        Inline.run(@engine, @batch, @items)
      end

      def reject
        @engine.metrics.rejected.increment
        @engine.emit(:rejected, @batch, items: @batch.size)
        waiting = @engine.run_queue.waiting_size
        waiting = waiting == 1 ? "1 dispatch waits" : "#{waiting} dispatches wait"
        raise QueueFullError, "#{waiting} in the pool #{@engine.name} (max_queue: #{@engine.run_queue.capacity}); " \
                              "dispatch later, or take another on_full:"
      end
    end
  end
end
