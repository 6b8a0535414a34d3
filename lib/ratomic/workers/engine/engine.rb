# frozen_string_literal: true

require_relative "accompanied"
require_relative "cancellation"
require_relative "result_recorder"

module Ratomic
  module Workers
    # The shared state of a pool that was started: the run queue, the mailbox of the coordinator, counters. Frozen and
    # shareable, so that callers and workers in any Ractor use the same. A forked child has no workers, so its pool gets
    # a new engine.
    #
    # The {Pool} has it until it has ended. Any thread may call any method, but for {#end} (the coordinator, if there is
    # one) and {#lose} (a forked child). There is no lock. Each part is changed in one step, and where two parts belong
    # together the order of the steps makes sure that one of two threads sees the other:
    #
    # - {#accept} counts the items before it asks whether the pool is open; a pool is closed before it is asked whether
    #   it is idle. So a dispatch is refused, or the pool waits for it.
    # - {#show} puts a batch on the board before it asks whether the pool was killed; {#kill} closes the pool before it
    #   reads the board. So one of the two stops the batch.
    #
    # It never waits, but for room in a mailbox that is a queue.
    class Engine
      include ResultRecorder
      include Cancellation
      include Accompanied

      WIND_UP = [:wind_up].freeze
      RESERVE = [:reserve].freeze

      # @return [Map] number of a worker => batch that it is running. Batches that other threads run have other keys,
      #   see {#show}.
      attr_reader :board
      # @return [Map] number of a worker => its WorkerStatus
      attr_reader :worker_statuses
      # @return [RunQueue]
      attr_reader :run_queue
      # @return [Ractor::Port, Mailbox::QueueMailbox, nil] of the coordinator; nil without one
      attr_reader :mailbox
      # @return [Completion] of one slot, filled when the last worker has ended
      attr_reader :terminated
      # @return [Subscribers] to events
      attr_reader :subscribers
      # @return [Counter] workers that were started so far
      attr_reader :workers_started
      # @return [Module] the {Backend}
      attr_reader :backend
      # @return [Boolean] whether the results that a caller makes are frozen themselves, instead of copies of them. It
      #   is computed once, because each small dispatch reads it.
      attr_reader :in_place
      attr_reader :number, :settings, :name, :size, :chunker, :costs, :metrics, :accepted, :finished

      NUMBERS = Counter.new

      # @param settings [Settings]
      def initialize(settings, mailbox)
        @number = NUMBERS.increment
        @name = settings.name
        @size = settings.size
        @backend = settings.kind
        @in_place = !@backend.shared_memory?
        @settings = settings
        @mailbox = mailbox
        @run_queue = RunQueue.new(settings.max_queue, @size)
        @costs = Costs.new(settings.gain)
        @chunker = Chunker.new(@size, @backend)
        @board = Map.new
        @worker_statuses = Map.new
        make_shared_counts
        @fallback = (Fallback.new(settings) if settings.falls_back?)
        @for_any_caller = for_any_caller?
        @lifecycle = Lifecycle.new(@costs.caller_runs_cache)
        @terminated = Completion.new(1)
        @home = Ractor.current
        freeze
      end

      # @return [Hooks]
      def hooks
        @settings.hooks
      end

      # @return [Integer] workers that can run at a time
      def parallel
        @settings.parallel
      end

      # @return [Float] share of the time that all workers together save, at best
      def gain
        @settings.gain
      end

      # @return [Map] number of a worker => the {OwnedResults} of the results that it is making
      def homes
        @run_queue.reserve.homes
      end

      # Whether dispatches are accepted.
      def open?
        @lifecycle.open?
      end

      # Whether {#kill} was called.
      def killed?
        @lifecycle.closed?
      end

      # Whether {#end} was called.
      def ended?
        @lifecycle.ended?
      end

      # Accepts no more dispatches.
      def close
        @lifecycle.close(Lifecycle::CLOSING)
      end

      # Sends a message to the coordinator. Does nothing when the coordinator has ended, or there is none. (In a forked
      # child a mailbox that nobody reads could be full.)
      def post(message)
        @mailbox&.send(message) unless ended?
      rescue *Mailbox::CLOSED
        nil
      end

      # Called when a dispatch has ended in a pool that is closing: after the last one the coordinator checks whether
      # the pool has ended. Not after each: the coordinator itself can end many, and would wait for room in its own
      # mailbox, if that is a queue.
      def wind_up
        post(WIND_UP) if idle?
      end

      # @return [String] why nothing is accepted
      def refusal
        "the pool #{name} was shut down; make a new one"
      end

      # Puts the rest of a batch into the run queue, for any worker.
      # @return [Boolean] false when there is no room
      def offer(batch)
        batch.completion.complete? || @run_queue.put_back(batch)
      rescue ::ClosedQueueError
        false
      end

      # Leaves a part of a batch to the workers. If the queue is full, the coordinator tries again later; if there is no
      # coordinator any more, the part is stopped.
      def give_back(part)
        offer(part) || post([:offer, part].freeze) || stop(part, PoolFailures::KILLED)
      end

      # Removes batches from the run queue that are done.
      # @return [Boolean] whether that has made room
      def make_room
        Interrupts.deferred { @run_queue.sweep { |rest| killed? ? stop(rest, PoolFailures::KILLED) : give_back(rest) } }
      end

      # Checks that workers may call the callable.
      # @return [Object, RactorLocalRefs::Ref]
      # @raise [CallableError]
      def admit(callable)
        @backend.admit(callable, home?)
      end

      # As {#admit}, of an {Around} whose callable was admitted before.
      def admit_around(around)
        @backend.admit_around(around, home?)
      end

      # Counts the items of the batch as accepted, before any interrupt that comes meanwhile.
      # @param size [Integer] of the batch, where it is known
      # @raise [ShutdownError]
      def accept(batch, size = batch.size)
        @accepted.increment(size)
        raise ShutdownError, refusal unless open?
      end

      # Whether every item that was accepted has its result.
      def idle?
        @finished.value >= @accepted.value
      end

      # Keeps a batch on the board while the block runs items of it outside of a worker, so that {#kill} finds it. If
      # the pool was killed before that, the batch is stopped and the block does not run.
      # @param place [Object] its key on the board; not a positive number, which is the key of a worker
      def show(place, batch)
        @board[place] = batch
        overtaken?(batch) || yield
      ensure
        @board.delete(place)
      end

      # Whether the pool was killed before the batch was on the board. {#kill} may not have seen the batch, so it is
      # stopped here.
      def overtaken?(batch)
        return false unless killed?

        stop(batch, PoolFailures::KILLED)
        true
      end

      # Called when the batch is done: drops references that other objects have kept for it.
      def forget(batch)
        RactorLocalRefs.take(batch.callable) if RactorLocalRefs::Ref === batch.callable
        @fallback&.drop(batch.ticket)
      end

      # Sends an event to the subscribers, if there are any.
      def emit(name, batch = nil, details = {})
        @subscribers.tell(Event.new(name, @name, batch, details)) unless @subscribers.none?
      end

      # Called when the last worker has ended.
      def end
        return unless @lifecycle.end

        Pool::RUNNING.delete(@number)
        @backend.discard(self)
        @mailbox&.close
        tell_end
        @terminated.fill(true)
        Mailbox.drain(@mailbox) if @mailbox # last: nobody has to wait for it
      end

      # Called in a forked child, which has no workers. Items without a result get a Failure here. In the parent its
      # workers still run them.
      def lose
        @lifecycle.close(Lifecycle::CLOSED)
        @lifecycle.end # first: from now on nothing is posted
        stop_all(PoolFailures::FORKED)
        @subscribers.close
        @terminated.fill(true)
      end

      # Accepts no more dispatches, and has the pool end when all are done.
      def shut_down
        Interrupts.deferred do # an interrupt in between would leave a closed pool that nobody ends
          close
          post(WIND_UP)
        end
      end

      private

      # Whether this is the Ractor of the coordinator.
      def home?
        @home.equal?(Ractor.current)
      end
    end
  end
end
