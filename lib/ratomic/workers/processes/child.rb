# frozen_string_literal: true

module Ratomic
  module Workers
    module Processes
      # The parent's handle of a worker process: the parent's ends of the sockets, and the thread that waits for the end
      # of the process. The thread that owns the handle ends the process, once.
      class Child
        # Seconds after which a process that was asked to end is killed.
        STOP_TIMEOUT_S = 0.2
        private_constant :STOP_TIMEOUT_S

        # @return [UNIXSocket] the parent writes requests to it, and reads from it that results are ready
        attr_reader :control
        # @return [UNIXSocket] from which results come
        attr_reader :data
        # @return [Hash] numbers of the callables that it has
        attr_reader :known

        # @param pid [Integer]
        # @param waiter [Thread] that waits for the process and returns its status
        # @param ends [Array] the control socket, the data socket, the pipe of its {ParentWatch}
        def initialize(pid, waiter, ends, known)
          @pid = pid
          @waiter = waiter
          @ends = ends
          @control, @data = ends
          @known = known
        end

        def alive?
          @waiter.alive?
        end

        # Kills the process. It does nothing when the waiter has ended: then the pid may belong to another process,
        # because somebody has waited for this one.
        # @return [void]
        def kill
          Process.kill(:KILL, @pid) if @waiter.alive?
        rescue Errno::ESRCH
          nil
        end

        # Asks the process to call its stop hooks and to end.
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

        # Closes the sockets, after which the process ends by itself; kills it if it does not.
        # @return [void]
        def close
          SocketRegistry.close(*@ends)
          kill unless @waiter.join(STOP_TIMEOUT_S)
        end

        # How the process has ended. It is called when the socket is closed, so the process has ended or is about to.
        # @param begun [Boolean] whether it had begun with the item
        # @return [String, :thread]
        def cause_of_death(begun)
          kill unless @waiter.join(STOP_TIMEOUT_S)
          status = @waiter.value
          moment = begun ? "while it ran the item" : "before it ran the item"
          return "the worker process has ended #{moment}" unless status # other code of the program has waited for it
          return :thread if status.exitstatus == Forker::THREAD_ENDED

          signal = status.termsig
          how = signal ? "was killed by SIG#{Signal.signame(signal)}" : "ended with status #{status.exitstatus}"
          "the worker process #{how} #{moment}"
        end
      end
    end
  end
end
