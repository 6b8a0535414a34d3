# frozen_string_literal: true

module Ratomic
  module Workers
    module Processes
      # Forks worker processes, one at a time: each closes what its parent has open for the others.
      module Launch
        GATE = Thread::Mutex.new
        # Signals that a process group or a service gets as a whole. The parent says what is to be done; a worker
        # process ends with it.
        SHARED_SIGNALS = %w[HUP INT QUIT TERM USR1 USR2].freeze
        # Status of a worker process of which an item has ended the thread.
        THREAD_ENDED = 113
        # In a worker process what could write a buffer of the parent's. Threads that are not here any more had it; when
        # it is collected, it would be written here too.
        PINNED = [] # rubocop:disable Style/MutableConstant -- of one process
        private_constant :PINNED, :GATE, :SHARED_SIGNALS

        class << self
          # Forks a worker process from the calling thread.
          # @param hooks [Hooks] which it calls
          # @param worker [Integer] number of the worker that it belongs to
          # @return [Child]
          # @raise [SystemCallError] when the system has no room for another
          def call(hooks, worker)
            Interrupts.deferred { GATE.synchronize { start(hooks, worker) } }
          end

          # Whether the program has a collector. It is off for a moment to find out, in which no process is forked.
          def collector?
            Interrupts.deferred { GATE.synchronize { GC.disable ? false : GC.enable } }
          end

          # @return [Array<UNIXSocket>, nil] in a worker process that has just been forked, those to its parent
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

          # The numbers of the callables are taken before it: a process knows more of them rather than fewer.
          def fork_off(hooks, worker, ends)
            @making = [Thread.current, *ends].freeze
            was = GC.disable # in the child until it has pinned what it must not collect
            Process.fork { Launch.child(was, hooks, worker, ends) }
          ensure
            GC.enable unless was
            @making = nil
          end

          # Nobody else has to wait for it, and it leaves no zombie.
          def waiter(pid)
            Process.detach(pid).tap { |thread| thread.name = "ratomic-process-#{pid}" }
          end
        end

        # All of a worker process, from its first step to its last. It leaves without any of what a program does at its
        # end: no handler, no finalizer, no buffer of the parent.
        # @return [void] it does not return
        # @param without [Boolean] whether the parent does without a collector
        def self.child(without, hooks, worker, ends)
          status = THREAD_ENDED
          ObjectSpace.each_object(IO) { |io| PINNED << io }
          GC.enable unless without
          Interrupts.allowed do
            control, data, lifeline = ends
            settle_in(lifeline)
            server = Server.new(control, data, hooks, worker)
            # Where a hook has ended the thread in which the process began, it begins again in another one.
            status = 0 if work(server) || (server.starting? && work(server))
          end
        ensure
          exit!(status)
        end

        # An item must not find itself in the main thread, where its `exit` would be taken for a signal handler's.
        # @return [Boolean, nil] whether the thread has come to its end
        def self.work(server)
          OwnThread.start { server.run && Thread.current[:done] = true }.join[:done]
        end
        private_class_method :work

        def self.settle_in(lifeline)
          # Not "IGNORE", which programs that it starts would inherit.
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
