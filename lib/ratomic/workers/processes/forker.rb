# frozen_string_literal: true

module Ratomic
  module Workers
    module Processes
      # Forks worker processes, one at a time, because each new process has to close the sockets that its parent has
      # open to the others.
      module Forker
        GATE = Thread::Mutex.new
        # Signals that are often sent to a whole process group or service. Worker processes ignore them. The parent
        # decides what happens, and when it ends, they end.
        SHARED_SIGNALS = %w[HUP INT QUIT TERM USR1 USR2].freeze
        # Exit status of a worker process in which an item has ended the thread.
        THREAD_ENDED = 113
        # Objects of the parent's threads, which do not exist in a worker process. An IO among them would write its
        # buffer again when it is collected. So a worker process keeps them for ever.
        PINNED = [] # rubocop:disable Style/MutableConstant -- of one process
        private_constant :PINNED, :GATE, :SHARED_SIGNALS

        class << self
          # Forks a worker process from the calling thread.
          # @param hooks [Hooks] that the process calls
          # @param worker [Integer] number of the worker that it belongs to
          # @return [Child]
          # @raise [SystemCallError] when the system has no room for another
          def call(hooks, worker)
            Interrupts.deferred { GATE.synchronize { start(hooks, worker) } }
          end

          # As {GcState.enabled?}. No process is forked in the moment in which the collector is disabled.
          def collector_enabled?
            Interrupts.deferred { GATE.synchronize { GcState.enabled? } }
          end

          # @return [Array<UNIXSocket>, nil] the sockets to the parent, in a worker process that was just forked
          def own_ends
            making = @making
            making.drop(1) if making && making[0].equal?(Thread.current)
          end

          private

          def start(hooks, worker)
            pairs = [UNIXSocket.pair, UNIXSocket.pair, IO.pipe.reverse]
            SocketRegistry.add(*pairs.flatten)
            known = InheritedCallables.all.transform_values { true }
            pid = fork_off(hooks, worker, pairs.map(&:last))
            Child.new(waiter(pid), pairs.map(&:first), known)
          ensure
            SocketRegistry.close(*(pid ? pairs.map(&:last) : pairs.to_a.flatten))
          end

          # The numbers of the callables are read before the fork, so the process knows at least those that the parent
          # counts on.
          def fork_off(hooks, worker, ends)
            @making = [Thread.current, *ends].freeze
            was = GC.disable # the child enables it after it has pinned objects that it must not collect
            Process.fork { Forker.child(was, hooks, worker, ends) }
          ensure
            GC.enable unless was
            @making = nil
          end

          # A thread that waits for the end of the process, so that it leaves no zombie.
          def waiter(pid)
            Process.detach(pid).tap { |thread| thread.name = "ratomic-process-#{pid}" }
          end
        end

        # Runs in the worker process, from its start to its end. It ends with `exit!`: it calls no at_exit handler and
        # no finalizer of the parent, and writes no buffer of the parent.
        # @return [void] it does not return
        # @param without [Boolean] whether the parent has disabled the garbage collector
        def self.child(without, hooks, worker, ends)
          status = THREAD_ENDED
          ObjectSpace.each_object(IO) { |io| PINNED << io }
          GC.enable unless without
          Interrupts.allowed do
            control, data, lifeline = ends
            settle_in(lifeline)
            server = Server.new(control, data, hooks, worker)
            # If a start hook has ended the thread, the process goes on in another thread.
            status = 0 if work(server) || (server.starting? && work(server))
          end
        ensure
          exit!(status)
        end

        # Items do not run in the main thread, because there their `exit` could not be told from that of a signal
        # handler.
        # @return [Boolean, nil] whether the thread has done all its work
        def self.work(server)
          OwnThread.start { server.run && Thread.current[:done] = true }.join[:done]
        end
        private_class_method :work

        def self.settle_in(lifeline)
          # A block and not "IGNORE": programs that the process starts would inherit that.
          SHARED_SIGNALS.each { |signal| trap(signal) { nil } }
          trap("CHLD", "DEFAULT")
          Thread.current.priority = 0
          NestedDispatch.leave
          ParentWatch.hold(lifeline)
          Processes.inside!
        end
        private_class_method :settle_in
      end
    end
  end
end
