# frozen_string_literal: true

module Ratomic
  module Workers
    module Processes
      # Reads what a worker process sends: the results of a request, the errors of its hooks, and the end of the
      # process. Only the thread that owns the {Connection} uses it.
      class Answers
        # Seconds between two checks for results while a request runs: the first interval and the longest.
        FIRST_CHECK_INTERVAL_S = 0.001
        MAX_CHECK_INTERVAL_S = 0.01
        # So many BEGUN frames of earlier requests may be unread in the socket.
        MAX_STALE = 64
        private_constant :FIRST_CHECK_INTERVAL_S, :MAX_CHECK_INTERVAL_S, :MAX_STALE

        # @return [String, nil] why the process could not read the request
        attr_reader :unreadable

        # @param child [Child]
        # @param metrics [Metrics] of the pool
        def initialize(child, metrics)
          @control = child.control
          @control.nonblock = false # a read waits in the system call
          @data = child.data
          @metrics = metrics
          @buffer = String.new(encoding: Encoding::BINARY)
          @last = String.new(encoding: Encoding::BINARY)
          @stale = 0
          expect(true, true)
        end

        # Prepares for the next request.
        # @param frozen [Boolean] whether its results are frozen
        # @param single [Boolean] whether all results come at its end
        # @return [void]
        def expect(frozen, single)
          @frozen = frozen
          @single = single
          @outcome = @unreadable = nil
          @begun = @raised = @ending = false
        end

        # Whether the process has begun with the first item.
        def begun?
          @begun
        end

        # Whether a run has raised.
        def raised?
          @raised
        end

        # Reads until the request is done or the process has ended. The process does not wake this thread for each
        # result. This thread checks for results at intervals, so that a caller who asks for the results so far gets
        # them.
        # @yieldparam result [Object] see {Connection#run}
        # @return [Array, nil] the content of the DONE frame; nil if the process has ended before
        def await(&results)
          interval = FIRST_CHECK_INTERVAL_S
          until @outcome
            received = @single ? await_control : await_control_for(interval)
            drain(&results) if received.nil? || take(received, &results)
            break if received.nil?

            interval = received.empty? ? [interval * 2, MAX_CHECK_INTERVAL_S].min : FIRST_CHECK_INTERVAL_S
          end
          @outcome
        end

        # Waits until the process has called its hooks for the start, or has ended.
        # @return [void]
        def await_start
          loop do
            IO.select([@control, @data])
            received = read_control
            drain { nil }
            return if received.nil? || received.include?(Wire::READY)
          end
        end

        # Waits until the process has called its hooks for the end, and closed its sockets.
        # @return [void]
        def await_end
          while @data.wait_readable && drain { nil }; end
        end

        private

        # Waits for bytes on the control socket.
        # @return [String, nil] nil if the process has ended
        def await_control
          @control.readpartial(Wire::CONTROL_BYTES)
        rescue EOFError, Errno::ECONNRESET
          nil
        end

        # Waits so many seconds for bytes on the control socket, or for the rest of a frame that has come in part.
        def await_control_for(seconds)
          # If a part of a frame has come, its rest is about to come.
          @buffer.empty? ? @control.wait_readable(seconds) : IO.select([@control, @data])
          read_control
        end

        # @return [Boolean] whether the data socket has to be read
        def take(received, &results)
          signs, last, frames = @ending ? ["", Wire::LAST, received] : received.partition(Wire::LAST)
          @single = false if signs.include?(Wire::FULL) # sent once for each request
          return true if last.empty?

          @stale += 1 unless @begun || @ending
          @ending = true
          note_all(@last, frames, &results)
          @stale > MAX_STALE
        end

        # @return [String, nil] bytes of the control socket; nil if the process has ended
        def read_control
          received = @control.read_nonblock(64, exception: false)
          received.equal?(:wait_readable) ? "" : received
        rescue Errno::ECONNRESET
          nil
        end

        # Reads the frames that have come.
        # @return [Boolean] false at the end of the socket
        def drain(&results)
          loop do
            bytes = @data.read_nonblock(Wire::READ_BYTES, @piece ||= +"", exception: false)
            return !bytes.nil? unless bytes.is_a?(String)

            note_all(@buffer, bytes, &results)
            return true if bytes.bytesize < Wire::READ_BYTES
          end
        rescue Errno::ECONNRESET
          false
        end

        def note_all(buffer, bytes, &results)
          PlainData.take(buffer, bytes, @frozen).each_slice(2) { |letter, content| note(letter, content, &results) }
        end

        # A BEGUN frame has come: one of an earlier request that was not read then (`@stale` counts these), or this
        # request's.
        def begun!
          @stale.zero? ? @begun = true : @stale -= 1
        end

        def note(letter, content)
          case letter
          when Wire::BEGUN then begun!
          when Wire::DONE then @outcome = Wire.read_end(content)
          when Wire::RUN, Wire::PLAIN_RUN then yield Wire.read_run(content)
          when Wire::RAISED then @raised = true
          when Wire::TROUBLE then @metrics.trouble(Wire.read_trouble(content), "a hook of a worker process")
          when Wire::REPLACED then @metrics.runners_replaced.increment
          when Wire::UNREADABLE then @unreadable = content.force_encoding(Encoding::UTF_8).scrub
          else yield Wire.read_result(letter, content)
          end
        end
      end
    end
  end
end
