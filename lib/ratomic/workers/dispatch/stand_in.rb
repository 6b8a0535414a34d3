# frozen_string_literal: true

module Ratomic
  module Workers
    # Serves the lane of a pool while all its workers wait, in the place of one of them. What they wait for may stand
    # there: not every worker may run what belongs to another pool, and the items of that may wait for items of this.
    #
    # It is a thread of its own: what it runs may want a lock that a waiting item holds, and must not end with that one;
    # and who has got what he waited for goes on at once. (In Java's ForkJoinPool a thread that does so compensates.)
    module StandIn
      class << self
        # @return [Thread] that ends when there is nothing to serve, or a worker has come back
        def start(engine)
          engine.lane.waiting.decrement # it is one more that does not wait
          Nested.thread("ratomic-#{engine.name}-stand-in") do
            serve(engine)
          ensure
            engine.lane.waiting.increment
          end
        end

        private

        # Until a worker comes back, or there is nothing to do.
        def serve(engine)
          nil while engine.lane.deserted?(1) && serve_next(engine)
        end

        # Runs one chunk of the next batch.
        # @return [Boolean] whether there was one
        def serve_next(engine)
          parts = []
          Interrupts.deferred { parts << engine.lane.try_pop } # or who is ended just now has it, and nobody knows
          return false unless (batch = parts[0])
          return false if batch.moved? # only a worker gets its parcels

          Nested.run(engine, batch) { Nested.step(engine, parts) }
          true
        ensure
          parts.compact.each { |part| give_back(engine, part) if part.unclaimed.positive? }
        end

        def give_back(engine, part)
          engine.offer(part) || engine.post([:offer, part].freeze) # when there is no room now, there will be
        end
      end
    end
  end
end
