# frozen_string_literal: true

module Ratomic
  module Workers
    module Processes
      # The main loop of a worker process: calls the start hooks of the pool, then reads a request, runs its items and
      # writes the results, again and again, and calls the stop hooks at its end. Each result is written as soon as it
      # is made. So it survives the process, and if the process dies, the first item without a result is at fault.
      class Server
        # Nanoseconds between two checks of the process's memory.
        MEMORY_CHECK_INTERVAL_NS = 1_000_000_000
        # Items between two checks of the {AllocationBudget} (a power of two).
        BUDGET_CHECK_ITEMS = 8
        # A request that was read, see {Request#to_frame}.
        Order = Struct.new(:kind, :number, :definition, :context, :from, :limit, :owned, :megabytes, :items)
        private_constant :MEMORY_CHECK_INTERVAL_NS, :BUDGET_CHECK_ITEMS, :Order

        # @param control [UNIXSocket] requests are read from it; that results are ready is written to it
        # @param data [UNIXSocket] results are written to it
        # @param hooks [Hooks]
        # @param worker [Integer] number of the worker, for the hooks
        def initialize(control, data, hooks, worker)
          @control = control
          control.nonblock = false # a read waits in the system call
          @data = data
          data.setsockopt(:SOCKET, :SNDBUF, Wire::SEND_BUFFER_BYTES)
          @hooks = hooks
          @worker = worker
          @starting = @silent = false
          @known = InheritedCallables.keep
          @totals_before = @last = nil
          @looked = Clock.nanoseconds
          @budget = AllocationBudget.new if AllocationBudget::USEFUL
          @idle_release = IdleRelease.new
        end

        # Whether the thread has ended before the start hooks were done.
        def starting?
          @starting
        end

        # Serves requests until the parent sends STOP or closes the socket, or until an exception is raised into the
        # thread between two requests.
        # @return [true]
        def run
          WorkerLocals.begin
          start if @hooks.any?
          nil while serve_next
          true
        rescue Errno::EPIPE, Errno::ECONNRESET, EOFError
          true # the parent has ended
        end

        private

        # While it waits for the next request, no variable refers to the one before.
        # @return [Boolean] whether another one may come
        def serve_next
          @idle_release.await(@control)
          letter, bytes = receive
          stop if letter == Wire::STOP
          return false if letter.nil? || letter == Wire::STOP

          handle(letter, bytes)
          @budget&.check
          true
        end

        # Reads a request. The parent sends one frame and then waits for the results.
        # @return [Array(String, String), nil] nil if the parent has ended before the whole frame was sent
        def receive
          bytes = @control.readpartial(Wire::CONTROL_BYTES)
          bytes << @control.readpartial(Wire::CONTROL_BYTES) while bytes.bytesize < Wire::HEAD_BYTES
          letter, size = bytes.unpack(Wire::HEAD)
          bytes = bytes.byteslice(Wire::HEAD_BYTES, size)
          missing = size - bytes.bytesize
          bytes << @control.read(missing).to_s if missing.positive?
          [letter, bytes] if bytes.bytesize == size
        end

        # Calls the start hooks. A hook that has ended the thread is not called again in the next thread.
        def start
          if @starting
            write(Wire.frame(Wire::REPLACED))
          else
            @starting = true
            @hooks.start(@worker) { |error| tell(error) }
          end
          @starting = false
          @control.write(Wire::READY)
        end

        def stop
          @hooks.stop(@worker) { |error| tell(error) }
        end

        # Sends the error of a hook to the parent.
        def tell(error)
          write(Wire.frame(Wire::TROUBLE, Marshal.dump(Failure.from(error, nil))))
        end

        # Serves a request. One that cannot be read refers to a class that the parent has defined after the fork of
        # this process.
        def handle(letter, bytes)
          order = Order.new(*Request.read(letter, bytes))
          callable = @known[order.number] ||= InheritedCallables.read(order.definition, @known)
          Ractor.make_shareable(order.context) unless Request.frozen_results?(letter)
        rescue StandardError => e
          write(Wire.frame(Wire::UNREADABLE, "#{e.class}: #{e.message}".b))
          finish(nil)
        else
          serve(order, callable)
        end

        def serve(order, callable)
          @totals_before = StageCounts.of(callable)
          Context.with(order.context) do
            write(Wire.frame(Wire::BEGUN))
            @silent = true
            order.kind == Request::RUN ? run_many(order, callable) : run_each(order, callable)
          end
          exit! if @control.closed? # the last item, or the run, has forked this process, see {Forker.work}
          finish(order.megabytes)
        end

        def run_each(order, callable)
          started = Clock.nanoseconds
          index = order.from
          order.items.each do |item|
            flush
            @budget&.check if index > order.from && (index & (BUDGET_CHECK_ITEMS - 1)).zero?
            break if order.limit && index > order.from && Clock.nanoseconds - started > order.limit

            result = one(callable, item, index)
            @last = frame_of(result, index, order.owned)
            index += 1
          end
        end

        def frame_of(result, index, owned)
          Wire.result(result) { |odd| stand_in(odd, index, owned) }
        rescue ShareableError => e # it is too long
          Wire.result(Failure.from(e, index))
        end

        def one(callable, item, index)
          return item.failure if Transfer::Refused === item

          callable.call(item)
        rescue Exception => e # rubocop:disable Lint/RescueException -- whatever an item throws is its result
          Failure.from(e, index)
        end

        def run_many(order, callable)
          results = Runs.results(callable, order.items.freeze)
          @last = Wire.run(results) { |odd, place| stand_in(odd, order.from + place, order.owned) }
        rescue Exception # rubocop:disable Lint/RescueException -- then they run one by one
          @last = Wire.frame(Wire::RAISED)
        end

        # @return [Failure] why the result cannot be sent, with the message of the other backends if they would refuse
        #   it too
        def stand_in(result, index, owned)
          sealed = ResultFreezer.seal_one(result, index, :copied) unless owned
          return sealed if Failure === sealed

          kind = Reflection.class_of(result)
          Failure.new(index, ShareableError.name,
                      "the result (#{kind}) cannot cross from a worker process (Marshal): #{Wire.obstacle(result)}; " \
                      "return what is needed of it as plain data")
        end

        def flush
          write(@last) if @last
          @last = nil
        end

        # The last result goes with the end. What items have printed is written before, because the process ends with
        # `exit!`, which writes no buffers.
        def finish(megabytes)
          Forker.flush_output
          done = Wire.end([StageCounts.changes(@totals_before), full?(megabytes)])
          bytes = @last ? @last << done : done
          @last = nil
          return @control.write(Wire::LAST, bytes) if @silent && bytes.bytesize < Wire::MAX_LAST_BYTES

          write(bytes)
          @control.write(Wire::READY)
        end

        # @param megabytes [Numeric, nil] limit of the memory that the process shares with no other
        def full?(megabytes)
          return false if megabytes.nil? || Clock.nanoseconds - @looked < MEMORY_CHECK_INTERVAL_NS

          @looked = Clock.nanoseconds
          (Memory.own || 0) > megabytes * 1_000_000
        end

        # Writes results. The parent reads them when it is told that the request is done, or that the socket is full.
        def write(bytes)
          @silent = false
          written = @data.write_nonblock(bytes, exception: false)
          return if written == bytes.bytesize

          @control.write(Wire::FULL)
          @data.write(written.is_a?(Integer) ? bytes.byteslice(written, bytes.bytesize - written) : bytes)
        end
      end
    end
  end
end
