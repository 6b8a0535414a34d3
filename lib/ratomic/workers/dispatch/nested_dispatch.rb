# frozen_string_literal: true

module Ratomic
  module Workers
    # Dispatches that an item makes. The worker of the item waits for the result. If all workers waited like this, no
    # worker would be left to run the items that they wait for. So while an item waits, a {HelperThread} runs the
    # unclaimed items of that dispatch. Its claimed items are being run by other threads; if one of those waits for a
    # dispatch of its own, it has a helper too.
    #
    # A worker may not run items of every other pool. So when pools wait for each other in a circle, helper threads take
    # the places of their workers.
    #
    # Only threads that the pool has started are known here. A thread that an item starts counts as an ordinary caller.
    module NestedDispatch
      KEY = :__ratomic_workers_engines__
      # Seconds between two looks at whether pools wait for each other.
      CHECK_INTERVAL_S = 0.02

      class << self
        # @return [Array<Integer>, nil] numbers of the engines that have an item which waits for this thread; the first
        #   is the engine that this thread runs items of
        def engines
          Thread.current.thread_variable_get(KEY)
        end

        # This thread runs items of that engine from now on.
        def enter(engine)
          self.engines = [*engines, *engine.numbers].uniq.freeze
        end

        # This thread works for no engine any more: it is now the main thread of a worker process.
        def leave
          self.engines = nil
        end

        # @return [Integer, nil] of the engine that this thread works for
        def number
          (all = engines) && all[0]
        end

        # Whether an item of that engine waits for this thread.
        def within?(engine)
          (all = engines) ? all.include?(engine.number) : false
        end

        # Starts a thread that works for the same engines as the calling thread, or for those given.
        # @return [Thread]
        def thread(name = nil, place = engines, finally = nil)
          OwnThread.start(name, finally) do
            self.engines = place
            yield
          end
        end

        # Whether this thread works for a pool, and may run items of that engine. Items for the threads of another pool
        # may need objects that only the Ractor of those threads can use.
        def in?(engine)
          (own = number) && (own == engine.number || !engine.backend.shared_memory?)
        end

        # Waits for something that a helper of this thread cannot run. In a thread that works for a pool it checks
        # meanwhile whether the pools wait for each other.
        # @param engine [Engine] that is waited for
        # @param seconds [Numeric, nil]
        # @yieldparam seconds [Numeric] to wait
        # @yieldreturn [Object, nil] the object that was waited for; nil or false when the time was up
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
