# frozen_string_literal: true

module Ratomic
  module Workers
    # A dispatch of up to a second that the thread which asks for its results would finish sooner than the workers:
    # where results are large, it takes longer to bring them home than to make them. (As `std::launch::deferred` of
    # C++.)
    #
    # `dispatch_async` returns at once, and the workers do not get the dispatch yet. If a thread asks for the results
    # within {GRACE_S}, without a `timeout:`, that thread runs the items ({WaiterRuns}). If none does, the coordinator
    # puts the dispatch into the run queue.
    #
    # Which of the two ways is the faster one is not known before: both are timed, see {RouteChooser}. If a program asks
    # later, or in another way, that is noticed too: after some dispatches the workers get the others at once. They also
    # get them at once where several threads dispatch at about the same time ({CallerContention}).
    module Deferral
      # Seconds that a dispatch waits for a thread that asks for its results. It can be more: the coordinator has to get
      # the VM lock of its Ractor.
      GRACE_S = 0.001
      # Estimated nanoseconds of work of the largest dispatch that is deferred. The estimate is what workers have taken
      # for such items; where they are processes, it can be ten times what the thread takes.
      MAX_WORK_NS = 1_000_000_000
      # Nanoseconds for which a thread runs items to find out what they take there. Workers run the rest.
      TRIAL_NS = 20_000_000
      # Nanoseconds of a slice, which the thread runs without a look at interrupts. The first slice is estimated by what
      # workers have taken, the next one by what the one before took here. If a slice takes longer than the second of
      # these, workers run the rest.
      SLICE_NS = 5_000_000
      MAX_SLICE_NS = 40_000_000

      class << self
        # @param items [Array]
        # @param key [Object] of the callable, see {Callable.key}
        # @param options [Options] that let the caller run it
        # @return [Class] of the batch
        def kind(engine, items, key, options)
          return Batch unless options.min_batch == :auto && suits?(engine, items, key)
          return Batch if contended?(engine, options) || !free?(engine)

          engine.costs.deferral_chooser(options.owned?).caller?(key) ? Batch::Deferred : Batch::LargeTrial
        end

        # Whether the work is of the kind that may be deferred.
        def suits?(engine, items, key)
          return false unless items.size > 1 && engine.backend.parallel(engine.size) > 1
          return false unless engine.costs.small(key) && (cost = engine.costs.of(key))

          work = WorkEstimate.of(items) * cost
          work > CallerRuns::CERTAIN_FACTOR * engine.costs.waking && work <= MAX_WORK_NS
        end

        # Keeps a batch for a thread that asks for its results. It is on the board meanwhile, so that {Engine#kill} and
        # a forked child find it.
        # @return [:done]
        def keep(engine, batch)
          Interrupts.deferred do # an interrupt in between would leave it on the board
            engine.board[place(batch)] = batch
            engine.post([:defer, batch].freeze) || engine.stop(batch, PoolFailures::KILLED)
          end
          engine.overtaken?(batch)
          :done
        end

        # Gives a batch to the workers, if no thread has begun it. Both the coordinator and a thread that asks do this.
        # @return [Boolean] false when there is no room for it
        def release(engine, batch)
          used = batch.begun?
          done = used || engine.offer(batch)
          kept = engine.board.delete(place(batch)) # last, so that {Engine#kill} finds the batch here or in the queue
          hand_over(engine, batch) if kept && done && !used
          done
        end

        # Whether the thread has a Fiber scheduler, whose other Fibers would wait.
        def scheduler?
          !Fiber.current_scheduler.nil?
        end

        # @return [Integer] items of the first slice
        def slice(engine, batch)
          cost = engine.costs.of(batch.key)
          cost ? (SLICE_NS / (cost * batch.mean)).to_i.clamp(1, batch.limit) : 1
        end

        # Whether this is the place on the board of a batch that nobody runs yet.
        def place?(place)
          Array === place && place[1] == :deferred
        end

        private

        def hand_over(engine, batch)
          batch.chooser(engine.costs).note_unused(batch.key)
          engine.run_queue.wake_one # it is enough work for two workers
          engine.run_queue.reserve.fill(engine, batch)
        end

        # Whether other threads dispatch too, so that the workers get more done than the threads one after another. Not
        # with owned results, nor with those of worker processes: to bring them home takes the caller's time as well.
        # From such dispatches nothing is learnt, because their callers also wait for each other.
        def contended?(engine, options)
          engine.costs.contention.note && engine.backend.free_results? && !options.owned?
        end

        # Whether the dispatch can be deferred now. It is not inside an item, whose worker would run it; nor where other
        # dispatches are under way, which the workers are needed for anyway; nor under a Fiber scheduler, whose other
        # Fibers would wait.
        def free?(engine)
          engine.idle? && NestedDispatch.number.nil? && !scheduler?
        end

        def place(batch)
          [batch.ticket, :deferred].freeze
        end
      end
    end
    private_constant :Deferral
  end
end
