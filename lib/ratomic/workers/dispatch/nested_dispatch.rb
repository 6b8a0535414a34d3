# frozen_string_literal: true

module Ratomic
  module Workers
    # Dispatches from inside an item. Its worker waits for the result, and when all workers wait so, nobody is left to
    # do what they wait for. So while an item waits, a {HelperThread} runs what nobody has begun of that dispatch. The
    # rest others have begun, and for those who wait in there the same is true, one dispatch deeper.
    #
    # Not every worker may run what belongs to another pool. So when pools wait for each other in a circle, helpers
    # stand in for their workers.
    #
    # All this is known of the threads that the pool makes, not of those that an item makes.
    module NestedDispatch
      KEY = :__ratomic_workers_engines__
      # Seconds between two looks at whether pools wait for each other.
      CHECK_INTERVAL_S = 0.02

      class << self
        # @return [Array<Integer>, nil] numbers of the engines of which an item waits for this thread; first of its own
        def engines
          Thread.current.thread_variable_get(KEY)
        end

        # This thread runs items of that engine from now on.
        def enter(engine)
          self.engines = [*engines, *engine.numbers].uniq.freeze
        end

        # This thread works for none of them any more: it is the one of a worker process.
        def leave
          self.engines = nil
        end

        # @return [Integer, nil] of the engine that this thread works for
        def number
          (all = engines) && all[0]
        end

        # Whether an item of that engine ends only after this thread.
        def within?(engine)
          (all = engines) ? all.include?(engine.number) : false
        end

        # A thread that works for the same one as this, or for those given.
        # @return [Thread]
        def thread(name = nil, place = engines, finally = nil)
          OwnThread.start(name, finally) do
            self.engines = place
            yield
          end
        end

        # Whether this thread works for a pool, and may run what belongs to that engine. What is for the threads of
        # another pool may not run in any Ractor.
        def in?(engine)
          (own = number) && (own == engine.number || !engine.backend.shared_memory?)
        end

        # Waits, in a thread that works for a pool, for what no helper of its own can do.
        # @param engine [Engine] that is waited for
        # @param seconds [Numeric, nil]
        # @yieldparam seconds [Numeric] to wait
        # @yieldreturn [Object, nil] what was waited for; nil or false when the time was up
        # @return [Object, nil] the same
        def wait(engine, seconds)
          return yield(seconds) unless (own = own_engine)

          limit = Clock.limit(seconds)
          own.run_queue.waiting[place = Thread.current.object_id] = engine.number
          until (found = yield(left = [Clock.left(limit), CHECK_INTERVAL_S].compact.min)) || left < CHECK_INTERVAL_S
            helper = HelperThread.stand_in(own) if !helper&.alive? && HelperThread.needed?(own)
          end
          found
        ensure
          own.run_queue.waiting.delete(place) if place
        end

        # @return [Engine, nil] that this thread works for
        def own_engine
          (own = number) && Pool::RUNNING[own]&.last
        end

        private

        def engines=(numbers)
          Thread.current.thread_variable_set(KEY, numbers)
        end
      end
    end
  end
end
