# frozen_string_literal: true

module Ratomic
  module Workers
    module Processes
      # Has a worker process run a {Chunk}. It stores each result in the chunk as it comes, where the worker's main
      # thread can read it.
      class ChunkRequest
        # @param chunk [Chunk]
        # @param connection [Connection]
        def initialize(chunk, connection)
          @chunk = chunk
          @connection = connection
        end

        # @param worker_status [WorkerStatus] see {Chunk#run_watched}
        # @param gate [Thread::Mutex] as there
        # @return [Boolean] false if the process has died; then {ByProcess#death} of the chunk has the cause
        def run(worker_status, gate)
          @worker_status = worker_status
          @gate = gate
          return run_one_by_one if @chunk.slow_path?
          return run_whole if @chunk.whole?

          run_all
        rescue ShareableError => e
          fail_all(e)
        end

        private

        def run_all
          first = @chunk.first + @chunk.results.size
          return true if first == @chunk.last || @chunk.over?

          request = @chunk.request(Request::EACH, first, @chunk.last)
          outcome = @connection.run(request) { |result| @chunk.add(result) }
          return run_one_by_one if outcome == :raised # together they are too long
          return died unless outcome == :done

          @chunk.cut_short
          true
        end

        def run_whole
          @chunk.in_run = true
          request = @chunk.request(Request::RUN, @chunk.first, @chunk.last)
          outcome = @connection.run(request) { |results| @chunk.add_run(results) }
          return died if outcome == :died

          @chunk.in_run = false
          outcome == :done || run_all
        end

        def run_one_by_one
          while (index = @chunk.first + @chunk.results.size) < @chunk.last
            return true if @worker_status.abandoned? || @chunk.over?

            @gate.synchronize { @worker_status.begin_item(index) }
            aside = ->(&fork) { between_items(index, &fork) }
            request = @chunk.request(Request::EACH, index, index + 1)
            outcome = @connection.run(request, aside) { |result| @result = result }
            sealed = @chunk.sealed(@result, index) if outcome == :done
            @gate.synchronize do
              @worker_status.end_item
              @chunk.add(sealed) if outcome == :done
            end
            return died unless outcome == :done
          end
          true
        end

        # While a new process is forked for the item, the item has not begun. If the thread is ended then, no item is at
        # fault.
        def between_items(index)
          @gate.synchronize { @worker_status.end_item }
          yield
          @gate.synchronize { @worker_status.begin_item(index) }
        end

        def died
          @chunk.death = @connection.death
          false
        end

        # Called when the context cannot be written: no item of the chunk can run.
        def fail_all(error)
          @chunk.in_run = false
          (@chunk.first + @chunk.results.size...@chunk.last).each do |index|
            @chunk.add(Failure.from(error, index))
          end
          true
        end
      end
    end
  end
end
