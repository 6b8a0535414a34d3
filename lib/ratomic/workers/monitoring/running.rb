# frozen_string_literal: true

module Ratomic
  module Workers
    # What the workers of a pool have in hand. They are not asked: it is read from what they leave where everyone sees
    # it.
    class Running
      # @param engine [Engine]
      def initialize(engine)
        @engine = engine
        @board = engine.board.to_h
        @now = Process.clock_gettime(Process::CLOCK_MONOTONIC, :nanosecond)
      end

      # @return [Array<Hash>] first of each worker, then of each thread beside them that runs items (a {Helper}, or a
      #   caller that met a full queue)
      def to_a
        workers = @engine.pulses.to_h.sort.map { |_, pulse| of_worker(pulse) }
        workers + @board.reject { |place, _| worker?(place) }.map { |_, batch| { worker: nil, **of_batch(batch) } }
      end

      private

      def worker?(place)
        Integer === place && place.positive?
      end

      # Its numbers are not read in one step: what does not fit together is left out.
      def of_worker(pulse)
        began = pulse.long_since
        seen = { worker: pulse.id, busy_seconds: pulse.busy_until(@now) / 1e9 }
        batch = @board[pulse.id]
        return seen unless batch && pulse.ticket == batch.ticket

        { **seen, **of_batch(batch), item: pulse.index, seconds: began && since(began) }
      end

      def of_batch(batch)
        { dispatch: batch.ticket, callable: @engine.costs.name_of(batch), completed: batch.completion.completed,
          items: batch.size, dispatch_seconds: since(batch.born), context: batch.options.context }
      end

      def since(nanoseconds)
        [(@now - nanoseconds) / 1e9, 0.0].max
      end
    end
  end
end
