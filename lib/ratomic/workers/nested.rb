# frozen_string_literal: true

module Ratomic
  module Workers
    # Dispatches from inside an item. Its worker waits for the result, and when all workers wait so, nobody is left to
    # do what they wait for. So who waits in a worker runs itself what nobody has begun of that dispatch, and then waits
    # only for what others have begun: for those who have, the same is true, one dispatch deeper.
    #
    # It is known of the threads that the pool makes, not of those that an item makes.
    module Nested
      KEY = :__ratomic_workers_engine__

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
        # another pool may not run in any Ractor: so a pool of threads and one of Ractors that dispatch to each other
        # can still come to wait for each other.
        def in?(engine)
          (own = number) && (own == engine.number || engine.backend == :ractor)
        end

        # Runs what nobody has claimed yet.
        # @param limit [Float, nil] monotonic seconds at which no more is begun
        def help(engine, batch, limit)
          done = false
          parts = [batch]
          engine.board[place = [batch.ticket, Thread.current.object_id].freeze] = batch # for who stops all
          until parts.empty? || batch.completion.complete? || (limit && Agenda.now >= limit)
            chunk = chunk(engine, parts[0])
            chunk ? parts.concat(Turn.new(engine, chunk).run) : parts.shift
          end
          done = true
        ensure
          engine.board.delete(place)
          parts.each { |part| engine.post([:offer, part].freeze) unless part.equal?(batch) }
          engine.post([:audit, batch].freeze) unless done # the item that waits was ended, and with it what it ran here
        end

        private

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
