# frozen_string_literal: true

module Ratomic
  module Workers
    module Processes
      # A worker of a pool at its worker process: forks it, hands requests over, takes results, ends it. It belongs to
      # one thread, the {Runner} of the worker; whatever ends that thread in the midst of a request (a deadline, a
      # cancellation) ends the process as well, also in a native call.
      class Connection
        # Seconds between two looks at what has come, of a request that is not done: at first and at most.
        FIRST_CHECK_INTERVAL_S = 0.001
        MAX_CHECK_INTERVAL_S = 0.01
        # Seconds before the next attempt to fork, when the system has no room: at first and at most.
        FIRST_FORK_PAUSE_S = 0.01
        MAX_FORK_PAUSE_S = 1.0
        # Times that a request is made when its process died before it began.
        MAX_ATTEMPTS = 5
        # Callables that came as copies, after which a process is forked anew.
        MAX_COPIED_CALLABLES = 256
        private_constant :FIRST_CHECK_INTERVAL_S, :MAX_CHECK_INTERVAL_S, :FIRST_FORK_PAUSE_S, :MAX_FORK_PAUSE_S,
                         :MAX_ATTEMPTS, :MAX_COPIED_CALLABLES

        # @return [String, nil] what has ended the process of the last request
        attr_reader :death

        # @param engine [Engine]
        # @param child [Child, nil] one that was forked before
        def initialize(engine, child = nil)
          @engine = engine
          @recycle = engine.settings.recycle_after
          @busy = false
          @buffer = String.new(encoding: Encoding::BINARY)
          take(child) if child
        end

        # Has a process that knows the callable, and forks one where there is none.
        # @return [Boolean] whether it had to
        def prepare(callable)
          @number = Reflection.id_of(callable)
          @definition = nil
          fresh = @child&.alive? && !stale?
          return false if fresh && (@known.key?(@number) || define(callable))

          [callable, *InheritedCallables.parts(callable)].each { |part| InheritedCallables.meet(part) }
          close
          fork_patiently
          true
        end

        # Has a request done. It is of the callable of the last {#prepare}.
        # @param request [Request]
        # @yieldparam result [Object] of the next item, in their order; of a run, the Array of all
        # @return [Symbol] :done, also when the process stopped early; :raised, of a run; :died, and then {#death} says
        #   how. It was the item of which there is no result
        def run(request, &results)
          outcome = nil
          MAX_ATTEMPTS.times do
            prepare(request.callable) unless @child
            outcome = attempt(request, &results)
            return outcome unless %i[lost unreadable].include?(outcome)
          end
          @death = "the worker process cannot read it: #{@unreadable}" if outcome == :unreadable
          :died
        end

        # Ends the process: between two requests by its end of file, in one at once.
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
          @full = @busy = false
          @buffer.clear
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
            Interrupts.deferred { take(Launch.call) }
          rescue SystemCallError => e
            @engine.metrics.trouble(e)
            sleep(pause)
            pause = [pause * 2, MAX_FORK_PAUSE_S].min
            retry
          end
        end

        def stale?
          most = @recycle[:items]
          @full || (most ? @items >= most : false)
        end

        # @return [Symbol] as {#run}, or :lost when it died before it had begun, :unreadable
        def attempt(request, &results)
          frame = request.to_frame(@number, @definition, @recycle[:megabytes])
          return :raised unless frame

          @outcome = @unreadable = nil
          @frozen = request.frozen_results?
          @begun = false
          @busy = true # until the end: who is interrupted in here leaves it so
          send(frame) && wait(&results)
          @outcome ? finish(request) : mourn
        end

        # @return [Boolean] false when there is nobody who reads
        def send(frame)
          @child.control.write(frame)
          @known[@number] = true
        rescue Errno::EPIPE, Errno::ECONNRESET
          false
        end

        # Reads until the request is done or the process has ended. Nobody is woken for each result: they are looked for
        # now and then, for who asks what there is so far.
        def wait(&results)
          look = FIRST_CHECK_INTERVAL_S
          until @outcome
            # Of a frame that has come in part the rest is on its way.
            @buffer.empty? ? @child.control.wait_readable(look) : IO.select([@child.control, @child.data])
            said = hear
            drain(&results)
            return if said.nil?

            look = said.empty? ? [look * 2, MAX_CHECK_INTERVAL_S].min : FIRST_CHECK_INTERVAL_S
          end
        end

        # @return [String, nil] what the process has to say; nil when it has ended
        def hear
          said = @child.control.read_nonblock(64, exception: false)
          said.equal?(:wait_readable) ? "" : said
        rescue Errno::ECONNRESET
          nil
        end

        # Reads what has come.
        def drain(&results)
          loop do
            bytes = @child.data.read_nonblock(Wire::READ_BYTES, @piece ||= +"", exception: false)
            return unless bytes.is_a?(String)

            PlainData.take(@buffer, bytes, @frozen).each_slice(2) { |letter, content| note(letter, content, &results) }
            return if bytes.bytesize < Wire::READ_BYTES
          end
        end

        def note(letter, content)
          case letter
          when Wire::BEGUN then @begun = true
          when Wire::DONE then @outcome = Wire.read_end(content)
          when Wire::RUN, Wire::PLAIN_RUN then yield Wire.read_run(content)
          when Wire::RAISED then @raised = true
          when Wire::UNREADABLE then @unreadable = content.force_encoding(Encoding::UTF_8).scrub
          else yield Wire.read_result(letter, content)
          end
        end

        def finish(request)
          changes, @full = @outcome
          @busy = false
          return renew if @unreadable

          @items += request.items.size
          StageCounts.add(request.callable, changes)
          raised = @raised
          @raised = nil
          raised ? :raised : :done
        end

        # It is older than a class that it needs.
        def renew
          close
          :unreadable
        end

        # The process has ended in the midst of a request.
        def mourn
          @engine.metrics.respawns.increment
          @death = @child.obituary
          close
          @begun ? :died : :lost
        end
      end
    end
  end
end
