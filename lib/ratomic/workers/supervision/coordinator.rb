# frozen_string_literal: true

module Ratomic
  module Workers
    # The thread that manages a pool. Batches and results do not pass through it. It gets a message for each other event
    # of the pool: a worker has started, is ready for moved items, or has ended; a deadline, a cancellation, the
    # shutdown. There is one for each {Engine}, in the main Ractor or in one of its own ({Backend.coordinate}).
    #
    # Only this thread uses the object and its parts ({TimerQueue}, {MoveBuffer}, {WorkerRegistry}, {Watchdog}), so they
    # have no lock; all other threads send messages. It waits at its mailbox only, except for a fork that is under way
    # and for a timer that could not be made ({TimerQueue}), and never runs an item.
    #
    # When a worker has died, the chunk that it was running is recovered by {Recovery} (a thread of the worker still
    # lives, and sends the rest with `:gone`), or the coordinator's {Watchdog} finds the empty slots (`#audit`, after
    # `:lost`). CONTRIBUTING has the life of a dead worker's chunk step by step, and the table of all messages.
    class Coordinator
      # Seconds that stopped workers get before the pool ends without them.
      STOP_TIMEOUT_S = 2.0

      # The place of an error in messages, see {Metrics#trouble}.
      PLACE = "the coordinator"
      private_constant :PLACE

      # The messages that it handles itself; each has a method of its name.
      OWN = %i[
        ready parcel drop up gone lost tick start_worker reserve homeless deadline defer release fall_back wind_up kill
        finish hold
      ].freeze

      # @param engine [Engine]
      def initialize(engine)
        @engine = engine
        @mailbox = engine.mailbox
        @timer_queue = TimerQueue.new(@mailbox) { |error| @engine.metrics.trouble(error, "the timer") }
        @move_buffer = MoveBuffer.new
        @registry = WorkerRegistry.new(engine, @timer_queue)
        @watchdog = Watchdog.new(engine, @timer_queue, @registry)
        @late = []
        @started = @killed = @ended = false
      end

      # Works until the pool has ended. Interrupts come only while it waits: what is left of a message that one had cut
      # off would never be done.
      def run
        ForkHook.await
        Interrupts.deferred do
          Mailbox.read_here(@mailbox, @late)
          @registry.fill unless @started
          @started = true
          @timer_queue.restart
          take(Interrupts.on_blocking { @timer_queue.receive }) until @ended
        end
      rescue Exception => e # rubocop:disable Lint/RescueException -- it is raised again, where nobody sees it
        trouble(e)
        raise
      end

      def ended?
        @ended
      end

      # Counts an error of its thread, which nobody can rescue.
      def trouble(error)
        @engine.metrics.trouble(error, PLACE)
      end

      private

      # Handles one message. An error in it is a fault of the library: it is counted and shown once, and the coordinator
      # handles the next message.
      def take(message)
        return look_for_dead if end_of_ractor?(message)

        handle(*message)
      rescue StandardError => e
        trouble(e)
      end

      # Whether the message is from Ractor#monitor: :exited or :aborted, which does not name the Ractor, or on later
      # Rubies [ractor, :exited].
      def end_of_ractor?(message)
        Symbol === message || Ractor === message[0]
      end

      # Messages that are not in {OWN} are handled by the {Watchdog}.
      def handle(what, *details)
        return lose(details.first(1)) if @killed && %i[audit offer].include?(what) # no worker is left to run it

        OWN.include?(what) ? send(what, *details) : @watchdog.handle(what, *details)
      end

      def ready(batch, port)
        @move_buffer.ready(batch, port)
      end

      def parcel(ticket, first, items)
        @move_buffer.put(ticket, first, items)
      end

      def drop(ticket)
        @move_buffer.drop(ticket)
      end

      def up(id, control)
        @registry.up(id, control)
        control.send(Worker::STOP) if @killed
      rescue *Mailbox::CLOSED
        nil # it has ended already
      end

      def gone(id, wanted, parts)
        parts = lose(parts) if @killed
        known = @registry.gone(id, wanted || @killed, parts)
        # A worker that ends on purpose is not replaced, and an unknown one was replaced already. So their parts go to
        # the run queue.
        parts.each { |part| @watchdog.handle(:offer, part) } if wanted || !known
        wind_up
      end

      def lost(id)
        batch = @registry.lost(id)
        @watchdog.handle(:audit, batch) if batch
        wind_up
      end

      # The process is about to fork, see {ForkHook}.
      def hold(here, done)
        here.fill(true)
        done.wait(STOP_TIMEOUT_S)
      end

      def tick
        @timer_queue.take_due.each { |entry| handle(*entry) }
      end

      def start_worker(parts)
        @killed ? lose(parts) : @registry.start_worker(parts)
      end

      def reserve
        @registry.reserve
      end

      def homeless
        @registry.departing.give_up
        wind_up
      end

      # Stops parts that no worker will run any more.
      # @return [Array] empty
      def lose(parts)
        parts.each { |part| @engine.stop(part, PoolFailures::KILLED) }
        []
      end

      def deadline(batch, at, what)
        @timer_queue.add_for(batch, at, what)
      end

      # A dispatch waits for a thread that asks for its results, see {Deferral}.
      def defer(batch)
        return lose([batch]) if @killed

        batch.begun? ? release(batch) : @timer_queue.add(Clock.now + Deferral::GRACE_S, :release, batch)
      end

      # The workers get it.
      def release(batch)
        Deferral.release(@engine, batch) || @watchdog.handle(:offer, batch)
      end

      # Runs items again that failed because they ran in a Ractor.
      def fall_back(part, failure)
        return if part.completion.complete?

        @killed ? lose([part]) : @engine.fallback.run(@engine, part, failure)
      end

      # If the pool is closing and all accepted items are done, the workers are stopped. When they have ended, the pool
      # ends.
      def wind_up
        return if @engine.open?

        if @engine.idle?
          @engine.run_queue.close
          @registry.close
          @engine.fallback&.engine&.post(Engine::WIND_UP)
        end
        finish if @registry.empty? && (@killed || @engine.idle?) && !@engine.accompanied?
      end

      def kill
        @killed = true
        @engine.fallback&.engine&.kill # which may have been made a moment ago
        @timer_queue.take(:start_worker, :offer, :release) { |details| lose(details.flatten) }
        @timer_queue.take(:audit) { |details| lose(details.first(1)) }
        @registry.stop
        @timer_queue.add(Clock.now + STOP_TIMEOUT_S, :finish)
        wind_up
      end

      def finish
        @ended = true
        @registry.leave_all
        @timer_queue.close
        @engine.end
      end

      # The last message of a worker that has ended is in the mailbox already. The message that is posted here comes
      # after it.
      def look_for_dead
        return wind_up if @registry.departing.look # a departing worker was found; each end has its own message

        @registry.ended.each { |id| @engine.post([:lost, id].freeze) }
      end
    end
  end
end
