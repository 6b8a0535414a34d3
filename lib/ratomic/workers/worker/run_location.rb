# frozen_string_literal: true

module Ratomic
  module Workers
    # Where a {Runner} has its items run: in its own thread, or in the process that belongs to it.
    module RunLocation
      private

      # While the block runs the thread has a process, if its pool is one of processes.
      def placed
        Interrupts.deferred { @link = @engine.backend.link(@engine, @worker_status.id) }
        done = yield
        @link&.retire if done && !@engine.killed?
        done
      ensure
        @link&.close
      end

      def take_in(chunk)
        chunk.halt if @engine.fallback && chunk.batch.options.sequential
        return @open_share.hold(chunk) unless @shared
        return chunk.share_memory unless @link

        @woken = false if @link.prepare(@callable) # the time that a fork takes is not the usual one
        chunk # what a process returns is nobody else's
      end

      # @return [Boolean] false when an item has ended its thread, its worker or its process
      def run_items(chunk, started)
        return Processes::ChunkRequest.new(chunk, @link).run(@worker_status, @gate) if @link

        chunk.careful? ? chunk.run_watched(@guard, @worker_status, @gate, started) : chunk.run(@guard, started)
      end
    end
    private_constant :RunLocation
  end
end
