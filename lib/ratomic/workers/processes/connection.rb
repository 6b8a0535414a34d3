# frozen_string_literal: true

module Ratomic
  module Workers
    module Processes
      # The connection of a worker to its process: forks the process, sends requests, reads results and ends the
      # process. Only the worker's {Runner} thread uses it, so it has no lock, and there is one request at a time. If
      # that thread is ended during a request (by a deadline or a cancellation), the process is killed, also while it is
      # in a native call: a process whose answer nobody has read is never used again.
      class Connection
        # Seconds before the next attempt to fork, when the system has no room for a process: the first pause and the
        # longest.
        FIRST_FORK_PAUSE_S = 0.01
        MAX_FORK_PAUSE_S = 1.0
        # How often a request is sent, if its process dies each time before it has begun.
        MAX_ATTEMPTS = 5
        # After so many callables that were sent as copies a process is replaced, because it keeps each of them.
        MAX_COPIED_CALLABLES = 256
        private_constant :FIRST_FORK_PAUSE_S, :MAX_FORK_PAUSE_S, :MAX_ATTEMPTS, :MAX_COPIED_CALLABLES

        # @return [String, nil] the cause of death of the process of the last request
        attr_reader :death

        # @param engine [Engine]
        # @param worker [Integer] number of the worker
        # @param child [Child, nil] one that was forked before
        def initialize(engine, worker, child = nil)
          @engine = engine
          @hooks = engine.hooks
          @worker = worker
          @recycle = engine.settings.recycle_after
          @busy = @starting = false
          take(child) if child
        end

        # Makes sure that there is a process and that it knows the callable.
        # @return [Boolean] whether a process was forked for that
        def prepare(callable)
          @number = Reflection.id_of(callable)
          @definition = nil
          await_start if @starting
          fresh = @child&.alive? && !stale?
          return false if fresh && (@known.key?(@number) || define(callable))

          [callable, *InheritedCallables.parts(callable)].each { |part| InheritedCallables.register(part) }
          retire
          fork_patiently
          await_start if @starting
          true
        end

        # Sends a request and reads its results. The request is of the callable of the last {#prepare}.
        # @param request [Request]
        # @param aside [#call] called with a block that forks a process. The time of that block is no item's time.
        # @yieldparam result [Object] of the next item, in their order; of a run, the Array of all
        # @return [Symbol] :done, also when the process stopped early; :raised, of a run, or if the items are to be sent
        #   one by one; :died, and then {#death} says how. The item at fault is the first one without a result
        def run(request, aside = nil, &results)
          outcome = nil
          MAX_ATTEMPTS.times do
            make_anew(request.callable, aside) if @child.nil? || @outdated
            outcome = attempt(request, &results)
            return outcome unless %i[lost unreadable].include?(outcome)
          end
          @death = "the worker process cannot read it: #{@answers.unreadable}" if outcome == :unreadable
          :died
        end

        # Ends the process in order: waits until it has called its stop hooks. If the calling thread is interrupted
        # meanwhile, it kills the process.
        # @return [void]
        def retire
          if @child && !@busy && @hooks.any_at_stop?
            @busy = true
            @child.stop
            @answers.await_end
            @child.join
            @busy = false
          end
        ensure
          close
        end

        # Ends the process: between two requests by closing its socket, during a request by a kill.
        # @return [void]
        def close
          Interrupts.deferred do
            child = @child
            @child = nil
            child&.kill if @busy
            child&.close
          end
        end

        private

        def take(child)
          @child = child
          @known = child.known
          @items = @copies = 0
          @answers = Answers.new(child, @engine.metrics)
          @full = @busy = @outdated = false
          @starting = @hooks.any?
        end

        def make_anew(callable, aside)
          aside ? aside.call { prepare(callable) } : prepare(callable)
        end

        # Waits for the start hooks first, so that their time does not count as that of an item.
        def await_start
          @busy = true # stays true if this thread is interrupted here; then the process is killed
          @answers.await_start
          @busy = @starting = false
        end

        # @return [Boolean] false when the process has to be forked anew for it
        def define(callable)
          return false if (@copies += 1) > MAX_COPIED_CALLABLES

          @definition = InheritedCallables.write(callable, @known)
          true
        rescue InheritedCallables::Unwritable
          false
        end

        def fork_patiently
          pause = FIRST_FORK_PAUSE_S
          begin
            Interrupts.deferred { take(Forker.call(@hooks, @worker)) }
          rescue SystemCallError => e
            @engine.metrics.trouble(e, "the fork of a worker process")
            sleep(pause)
            pause = [pause * 2, MAX_FORK_PAUSE_S].min
            retry
          end
        end

        def stale?
          most = @recycle[:items]
          @full || @outdated || (most ? @items >= most : false)
        end

        # @return [Symbol] as {#run}; or :lost if the process died before it had begun, or :unreadable
        def attempt(request, &results)
          frame = request.to_frame(@number, @definition, @recycle[:megabytes])
          return :raised unless frame

          @answers.expect(request.frozen_results?, request.single?)
          @busy = true # stays true if this thread is interrupted here
          outcome = @answers.await(&results) if write(frame)
          outcome ? finish(request, *outcome) : note_death
        end

        # @return [Boolean] false when there is nobody who reads
        def write(frame)
          @child.control.write(frame)
          @known[@number] = true
        rescue Errno::EPIPE, Errno::ECONNRESET
          false
        end

        # @param changes [Array, nil] see {StageCounts}
        # @param full [Boolean] whether the process has too much memory
        def finish(request, changes, full)
          @busy = false
          @full = full
          return renew if @answers.unreadable

          @items += request.items.size
          StageCounts.add(request.callable, changes)
          @answers.raised? ? :raised : :done
        end

        # Called when the process is older than a class that the request needs. The next attempt forks a new process.
        def renew
          @outdated = true
          :unreadable
        end

        # Called when the process has died during a request.
        def note_death
          @engine.metrics.respawns.increment
          begun = @answers.begun?
          @death = @child.cause_of_death(begun)
          close
          begun ? :died : :lost
        end
      end
    end
  end
end
