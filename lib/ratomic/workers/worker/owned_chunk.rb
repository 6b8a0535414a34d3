# frozen_string_literal: true

require_relative "chunk"

module Ratomic
  module Workers
    # A {Chunk} of an owned dispatch. Its results are not frozen, and go to the {Share} of the worker that runs it.
    class OwnedChunk < Chunk
      # It has no time limit: the rest would become the share of another worker.
      # @see Chunk#initialize
      def initialize(batch, callable, first, last, stride, _limit = nil)
        super(batch, callable, first, last, stride)
        @sealed = false
        @worker_share = @share = nil
      end

      # @param share [Share] of the worker that runs it
      # @return [self]
      def into(share)
        @worker_share = share
        self
      end

      # @see Chunk#share_memory
      def share_memory
        self
      end

      # @see Chunk#owned?
      def owned?
        true
      end

      # @see Chunk#seal
      def seal
        return if @sealed

        filed = share.keep(@first, Failures.number(@results, @first))
        @failed ||= Failures.any?(filed)
        @sealed = true # no interrupt comes between these two lines
        @results = filed
      end

      # If the chunk has no share of a worker, the results so far get a share of their own, which the caller can take at
      # once. Results that the chunk makes later go to another share.
      # @param results [Array] of the chunk, so far
      # @return [Array] what is filed for them
      def stand_ins(results)
        return share.keep_again(@first, results) if @sealed

        (@worker_share || Share.beside(@batch)).keep(@first, results)
      end

      private

      def share
        @worker_share || (@share ||= Share.beside(@batch))
      end

      # Owned results are not frozen.
      def seal_one(result, _index)
        result
      end
    end
  end
end
