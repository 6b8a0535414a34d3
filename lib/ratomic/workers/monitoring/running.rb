# frozen_string_literal: true

module Ratomic
  module Workers
    # The items that a pool is running now. It is read from the {WorkerStatus} of each worker and from the engine's
    # board; no worker is asked.
    class Running
      # @param engine [Engine]
      def initialize(engine)
        @engine = engine
        @board = engine.board.to_h.reject { |place, _| Deferral.place?(place) } # nobody runs these yet
        @now = Clock.nanoseconds
      end

      # @return [Array<Hash>] first each worker, then each other thread that runs items (a {HelperThread}, or a caller
      #   that found the queue full)
      def to_a
        workers = @engine.worker_statuses.to_h.sort.map { |_, worker_status| of_worker(worker_status) }
        workers + @board.reject { |place, _| worker?(place) }.map { |_, batch| { worker: nil, **of_batch(batch) } }
      end

      private

      def worker?(place)
        Integer === place && place.positive?
      end

      # The worker goes on while its numbers are read, one after another. If the board and the status name different
      # dispatches, only the numbers that do not depend on the dispatch are shown.
      def of_worker(worker_status)
        began = worker_status.long_since
        seen = { worker: worker_status.id, busy_seconds: worker_status.busy_until(@now) / 1e9 }
        batch = @board[worker_status.id]
        return seen unless batch && worker_status.ticket == batch.ticket

        { **seen, **of_batch(batch), item: worker_status.index, seconds: began && since(began) }
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
