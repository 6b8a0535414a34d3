# frozen_string_literal: true

module Ratomic
  module Workers
    module Processes
      # A worker process, as its parent has it: the ends of its sockets, and who waits for its end. It is ended once, by
      # the thread that has it.
      class Child
        # Seconds that it gets to end by itself.
        STOP_TIMEOUT_S = 0.2
        private_constant :STOP_TIMEOUT_S

        # @return [UNIXSocket] to which requests go, and from which readiness comes
        attr_reader :control
        # @return [UNIXSocket] from which results come
        attr_reader :data
        # @return [Hash] numbers of the callables that it has
        attr_reader :known

        # @param waiter [Process::Waiter]
        # @param ends [Array] the control socket, the data socket, the pipe of its {ParentWatch}
        def initialize(waiter, ends, known)
          @waiter = waiter
          @ends = ends
          @control, @data = ends
          @known = known
        end

        def alive?
          @waiter.alive?
        end

        # Ends it at once, whatever it does. (Its number may be another process's, if somebody else has waited for it;
        # its waiter has ended then, too.)
        # @return [void]
        def kill
          Process.kill(:KILL, @waiter.pid) if @waiter.alive?
        rescue Errno::ESRCH
          nil
        end

        # Asks it to end, with all that it does at its end.
        # @return [void]
        def stop
          @control.write(Wire.frame(Wire::STOP))
          @control.close_write
        rescue SystemCallError
          nil # it has ended
        end

        # Waits for its end.
        # @return [Thread]
        def join
          @waiter.join
        end

        # Lets it end, and sees to it that it does.
        # @return [void]
        def close
          SocketRegistry.close(*@ends)
          kill unless @waiter.join(STOP_TIMEOUT_S)
        end

        # How it has ended. It has closed its socket, so it is about to.
        # @param begun [Boolean] whether it had begun with the item
        # @return [String, :thread]
        def obituary(begun)
          kill unless @waiter.join(STOP_TIMEOUT_S)
          status = @waiter.value
          moment = begun ? "while it ran the item" : "before it ran the item"
          return "the worker process has ended #{moment}" unless status # somebody else has waited for it
          return :thread if status.exitstatus == Launch::THREAD_ENDED

          signal = status.termsig
          how = signal ? "was killed by SIG#{Signal.signame(signal)}" : "ended with status #{status.exitstatus}"
          "the worker process #{how} #{moment}"
        end
      end
    end
  end
end
