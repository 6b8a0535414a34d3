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
          # @return [Child]
          # @raise [SystemCallError] when the system has no room for another
          def call
            Interrupts.deferred { GATE.synchronize { start } }
          end

          # @return [Array<UNIXSocket>, nil] in a worker process that has just been forked, those to its parent
          def own_ends
            making = @making
            making.drop(1) if making && making[0].equal?(Thread.current)
          end

          private

          def start
            pairs = [UNIXSocket.pair, UNIXSocket.pair, IO.pipe.reverse]
            SocketRegistry.add(*pairs.flatten)
            known = InheritedCallables.all.transform_values { true }
            pid = fork_off(pairs.map(&:last))
            Child.new(waiter(pid), pairs.map(&:first), known)
          ensure
            SocketRegistry.close(*(pid ? pairs.map(&:last) : pairs.to_a.flatten))
          end

          # The numbers of the callables are taken before it: a process knows more of them rather than fewer.
          def fork_off(ends)
            @making = [Thread.current, *ends].freeze
            was = GC.disable # in the child until it has pinned what it must not collect
            Process.fork { Launch.child(was, *ends) }
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
        def self.child(without, control, data, lifeline)
          status = THREAD_ENDED
          ObjectSpace.each_object(IO) { |io| PINNED << io }
          GC.enable unless without
          Interrupts.allowed do
            settle_in(lifeline)
            # An item must not find itself in the main thread, where its `exit` would be taken for a signal handler's.
            status = 0 if OwnThread.start { Server.new(control, data).run && Thread.current[:done] = true }.join[:done]
          end
        ensure
          exit!(status)
        end

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
