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

      # A chunk is about to run.
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
      # @param kept [Array<Batch>] what the worker has in hand; what is exhausted of this dispatch is taken out
      def open?(kept)
        return true unless (share = @share)

        kept.shift while kept[0] && kept[0].ticket == share.ticket && exhausted?(kept[0])
        kept[0] && kept[0].ticket == share.ticket && !full?
      end

      # Sends the share ahead, or gives back what the worker has in hand besides.
      # @param kept [Array<Batch>]
      # @return [Boolean] true when it has gone ahead, false when the worker is to end and bring it home
      def close(kept)
        if @share.home.arrived? || (slight? && @share.send_ahead)
          @engine.homes.delete(@worker_status.id)
          @share = nil
          return true
        end
        kept.reject! { |batch| exhausted?(batch) || @engine.offer(batch) }
        false
      end

      # The dispatch was cancelled. An item that runs still is left alone.
      # @return [void]
      def recall(ticket)
        share = @share
        share.send_ahead if share && share.ticket == ticket
      end

      # The worker can neither go on nor end.
      # @return [void]
      def save
        @share&.save
      end

      # The worker ends now.
      # @return [Hash{Integer => Array}, nil] what its Ractor is to have as its value
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

      # Whether it goes home before all is done, so that results come as they are made and other dispatches have their
      # turn.
      def full?
        took >= (@engine.run_queue.waiting_size.zero? ? Share::MAX_SHARE_NS : Share::MAX_SHARE_CONTENDED_NS)
      end

      # Whether it is so small that a copy costs less than the end of a worker.
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
