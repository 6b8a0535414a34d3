# frozen_string_literal: true

module Ratomic
  module Workers
    # Runs the items of a {Runner}: in its own thread, or in its worker process.
    module RunLocation
      private

      # Runs the block. In a pool of processes the thread has a {Processes::Connection} meanwhile.
      def placed
        Interrupts.deferred { @connection = @engine.backend.connect(@engine, @worker_status.id) }
        done = yield
        @connection&.retire if done && !@engine.killed?
        done
      ensure
        @connection&.close
      end

      def take_in(chunk)
        chunk.halt if @engine.fallback && chunk.batch.options.sequential
        return @open_share.hold(chunk) unless @shared
        return chunk.share_memory unless @connection

        # A wake-up with a fork takes longer than usual: nothing is learnt from it.
        @woken = false if @connection.prepare(@callable)
        chunk # the results came from a process, so this program does not use them elsewhere
      end

      # @return [Boolean] false when an item has ended its thread, its worker or its process
      def run_items(chunk, started)
        return Processes::ChunkRequest.new(chunk, @connection).run(@worker_status, @gate) if @connection

        chunk.slow_path? ? chunk.run_watched(@guard, @worker_status, @gate, started) : chunk.run(@guard, started)
      end
    end
    private_constant :RunLocation
  end
end
