# frozen_string_literal: true

module Ratomic
  module Workers
    # Dispatches from inside an item. Its worker waits for the result, and when all workers wait so, nobody is left to
    # do what they wait for. So who waits in a worker runs itself what nobody has begun of that dispatch, and then waits
    # only for what others have begun: for those who have, the same is true, one dispatch deeper.
    #
    # Not every worker may run what belongs to another pool. So that pools do not wait for each other, somebody serves
    # the lane of one whose workers all wait, see {StandIn}.
    #
    # It is known of the threads that the pool makes, not of those that an item makes.
    module Nested
      KEY = :__ratomic_workers_engine__
      # Seconds between two looks at whether all workers of the pool wait.
      LOOK = 0.02

      class << self
        # @param number [Integer, nil] of the engine that this thread works for
        def number=(number)
          Thread.current.thread_variable_set(KEY, number)
        end

        # @return [Integer, nil]
        def number
          Thread.current.thread_variable_get(KEY)
        end

        # A thread that works for the same one as this.
        # @return [Thread]
        def thread(name = nil)
          place = number
          OwnThread.start(name) do
            self.number = place
            yield
          end
        end

        # Whether this thread works for a pool, and may run what belongs to that engine. What is for the threads of
        # another pool may not run in any Ractor.
        def in?(engine)
          (own = number) && (own == engine.number || engine.backend == :ractor)
        end

        # Runs what nobody has claimed yet.
        # @param limit [Float, nil] monotonic seconds at which no more is begun
        def help(engine, batch, limit)
          parts = [batch]
          run(engine, batch) do
            step(engine, parts) until parts.empty? || batch.completion.complete? || (limit && Clock.now >= limit)
          end
        ensure
          parts&.each { |part| engine.post([:offer, part].freeze) unless part.equal?(batch) }
        end

        # Waits, in a thread that works for a pool, for what this one cannot help with.
        # @param seconds [Numeric, nil]
        # @yieldparam seconds [Numeric] to wait
        # @yieldreturn [Object, nil] what was waited for; nil or false when the time was up
        # @return [Object, nil] the same
        def wait(seconds)
          return yield(seconds) unless (own = own_engine)

          limit = seconds && (Clock.now + seconds)
          counted = own.lane.waiting.increment
          until (found = yield(left = limit ? (limit - Clock.now).clamp(0, LOOK) : LOOK))
            return found if left < LOOK

            stand_in = StandIn.start(own) if own.lane.deserted? && !stand_in&.alive?
          end
          found
        ensure
          own.lane.waiting.decrement if counted
        end

        # Runs something of a batch: the block does.
        def run(engine, batch, &block)
          done = false
          engine.show([batch.ticket, Thread.current.object_id].freeze, batch, &block)
          done = true
        ensure
          engine.post([:audit, batch].freeze) unless done # the item that waits was ended, and with it what it ran here
        end

        # Runs one chunk of the first of the parts, or drops that one.
        def step(engine, parts)
          chunk = chunk(engine, parts[0])
          chunk ? parts.concat(Turn.new(engine, chunk).run) : parts.shift
        end

        private

        # The one that this thread works for.
        def own_engine
          (own = number) && Pool::RUNNING[own]&.last
        end

        def chunk(engine, part)
          cost = engine.costs.of(part.key)
          count = engine.chunker.size(part, cost)
          return unless (first = part.claim(count))

          Chunk.new(part, part.target, first, [first + count, part.limit].min, engine.chunker.stride(cost))
        end
      end
    end
  end
end
