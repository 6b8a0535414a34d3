# frozen_string_literal: true

module Ratomic
  module Workers
    # The {Share} that a worker is making of an owned dispatch. When nothing is left of the batch, the worker ends and
    # hands the share over. So a worker stays with such a batch, chunk after chunk, while the batch is also in the run
    # queue, where other workers can take it too.
    #
    # It outlives the {Runner}s of its worker.
    class OpenShare
      # @param engine [Engine]
      # @param worker_status [WorkerStatus] of the worker
      def initialize(engine, worker_status)
        @engine = engine
        @worker_status = worker_status
        @share = @offered = nil
        @since = 0
      end

      def empty?
        @share.nil?
      end

      # Adds a chunk that is about to run.
      # @param chunk [Chunk]
      # @return [Chunk] the same
      def hold(chunk)
        chunk.owned? ? chunk.into(@share ||= begin_share(chunk.batch)) : chunk
      end

      # Keeps an owned batch with the worker, and puts it into the run queue for the others.
      # @param kept [Array<Batch>] what the worker has in hand
      # @return [void]
      def put_back(batch, kept)
        kept.unshift(batch)
        return if batch.options.sequential || @offered == batch.ticket

        @offered = batch.ticket if @engine.run_queue.put_back(batch)
      rescue ::ClosedQueueError
        nil
      end

      # Whether the worker goes on: with any batch if it has no share, else with the batch of its share.
      # @param kept [Array<Batch>] batches that the worker has taken; those of this dispatch without items are removed
      def open?(kept)
        return true unless (share = @share)

        kept.shift while kept[0] && kept[0].ticket == share.ticket && exhausted?(kept[0])
        kept[0] && kept[0].ticket == share.ticket && !full?
      end

      # Sends the share to the caller as a copy. If that is not possible, it gives back the worker's other batches.
      # @param kept [Array<Batch>]
      # @return [Boolean] true if the copy was sent; false if the worker has to end to hand the share over
      def close(kept)
        if @share.home.arrived? || (slight? && @share.send_ahead)
          @engine.homes.delete(@worker_status.id)
          @share = nil
          return true
        end
        kept.reject! { |batch| exhausted?(batch) || @engine.offer(batch) }
        false
      end

      # Called when the dispatch was cancelled. It does not end an item that runs.
      # @return [void]
      def recall(ticket)
        share = @share
        share.send_ahead if share && share.ticket == ticket
      end

      # Called when the worker can neither go on nor end: sends what can be copied.
      # @return [void]
      def save
        @share&.save
      end

      # Called when the worker ends.
      # @return [Hash{Integer => Array}, nil] the value of its Ractor
      def leave
        @share&.leave
      end

      private

      def begin_share(batch)
        @since = @worker_status.busy_nanoseconds
        share = Share.new(batch)
        @engine.homes[@worker_status.id] = share.home
        share
      end

      # Whether the share is handed over before the batch is done. Then results arrive while others are made, and other
      # dispatches get a worker.
      def full?
        took >= (@engine.run_queue.waiting_size.zero? ? Share::MAX_SHARE_NS : Share::MAX_SHARE_CONTENDED_NS)
      end

      # Whether the share is so small that a copy costs less than the end of a worker.
      def slight?
        took < Share::MIN_SHARE_NS && @share.plain?
      end

      def took
        @worker_status.busy_nanoseconds - @since
      end

      def exhausted?(batch)
        batch.completion.complete? || !batch.unclaimed.positive?
      end
    end
  end
end
