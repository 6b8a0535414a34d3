# frozen_string_literal: true

module Ratomic
  module Workers
    # Runs the items of a {Runner}: in its own thread, or in its worker process.
    module RunLocation
      private

      # Runs the block. In a pool of processes the thread has a {Processes::Connection} meanwhile.
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

        @woken = false if @link.prepare(@callable) # a wake-up with a fork takes longer than usual: do not learn from it
        chunk # the results came from a process, so this program does not use them elsewhere
      end

      # @return [Boolean] false when an item has ended its thread, its worker or its process
      def run_items(chunk, started)
        return Processes::ChunkRequest.new(chunk, @link).run(@worker_status, @gate) if @link

        chunk.slow_path? ? chunk.run_watched(@guard, @worker_status, @gate, started) : chunk.run(@guard, started)
      end
    end
    private_constant :RunLocation
  end
end
