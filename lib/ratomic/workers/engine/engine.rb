# frozen_string_literal: true

require_relative "accompanied"
require_relative "cancellation"
require_relative "result_recorder"

module Ratomic
  module Workers
    # What a started pool runs on: the run queue, the mailbox of the coordinator, counters. Frozen and shareable, so
    # that callers and workers in any Ractor use the same. A fork leaves the child without workers; it gets a new
    # engine.
    class Engine
      include ResultRecorder
      include Cancellation
      include Accompanied

      WIND_UP = [:wind_up].freeze
      RESERVE = [:reserve].freeze

      # @return [Map] number of a worker => batch that it has in hand; what others run has another place, see {#show}
      attr_reader :board
      # @return [Map] number of a worker => its WorkerStatus
      attr_reader :worker_statuses
      # @return [RunQueue]
      attr_reader :run_queue
      # @return [Ractor::Port, Mailbox::QueueMailbox, nil] of the coordinator, where there is one
      attr_reader :mailbox
      # @return [Completion] of one slot, filled when the last worker has ended
      attr_reader :terminated
      # @return [Subscribers] to events
      attr_reader :subscribers
      # @return [Counter] workers that were hired so far
      attr_reader :hired
      # @return [Module] the {Backend}
      attr_reader :backend
      # @return [Boolean] whether results that a caller makes are frozen where they stand, and not in a copy. Kept here
      #   because each small dispatch asks
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
        @chunker = Chunker.new(@size, @backend.chunk_factor)
        @board = Map.new
        @worker_statuses = Map.new
        share_books
        @fallback = (Fallback.new(settings) if settings.falls_back?)
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

      # @return [Map] number of a worker => the Home of what it is making
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

      # Accepts no more.
      def close
        @lifecycle.close(Lifecycle::CLOSING)
      end

      # Tells the coordinator. When it has ended, or there is none, there is nothing to tell.
      def post(message)
        @mailbox&.send(message)
      rescue *Mailbox::CLOSED
        nil
      end

      # Something is done, which may have been the last.
      def wind_up
        post(WIND_UP)
      end

      # @return [String] why nothing is accepted
      def refusal
        "the pool #{name} was shut down; make a new one"
      end

      # Puts what is left of a batch into the run queue, for any worker.
      # @return [Boolean] false when there is no room
      def offer(batch)
        batch.completion.complete? || @run_queue.put_back(batch)
      rescue ::ClosedQueueError
        false
      end

      # Leaves a part of a batch to the workers. When there is no room now, there will be; and where nobody is left to
      # hear of it, nobody will run it.
      def give_back(part)
        offer(part) || post([:offer, part].freeze) || stop(part, PoolFailures::KILLED)
      end

      # Takes out of the run queue what is done and need not be run any more.
      # @return [Boolean] whether there is room now
      def make_room
        Interrupts.deferred { @run_queue.sweep { |batch| stop(batch, PoolFailures::KILLED) } }
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

      # Counts the items in.
      # @raise [ShutdownError]
      def accept(batch)
        @accepted.increment(batch.size)
        raise ShutdownError, refusal unless open?
      end

      # Whether every item that was accepted has its result.
      def idle?
        @finished.value >= @accepted.value
      end

      # Has a batch on the board, for who stops all, while the block runs something of it outside a worker.
      # When all was stopped before that, the batch is stopped and the block does not run.
      # @param place [Object] no positive number: those are the workers'
      def show(place, batch)
        @board[place] = batch
        overtaken?(batch) || yield
      ensure
        @board.delete(place)
      end

      # Whether all was stopped before a batch was on the board, by who may not have seen it. Then it is stopped too.
      def overtaken?(batch)
        killed? && !stop(batch, PoolFailures::KILLED).nil?
      end

      # What is kept elsewhere for a batch is not needed any more.
      def forget(batch)
        RactorLocalRefs.take(batch.callable) if RactorLocalRefs::Ref === batch.callable
        @fallback&.drop(batch.ticket)
      end

      # Tells the subscribers, if there are any.
      def emit(name, batch = nil, details = {})
        @subscribers.tell(Event.new(name, @name, batch, details)) unless @subscribers.none?
      end

      # The last worker has ended.
      def end
        return unless @lifecycle.end

        Pool::RUNNING.delete(@number)
        @backend.discard(self)
        @mailbox&.close
        tell_end
        @terminated.fill(true)
      end

      # A fork has left this process without the workers. What they had to do here becomes Failures; the parent's own
      # workers do it there.
      def lose
        @lifecycle.close(Lifecycle::CLOSED)
        stop_all(PoolFailures::FORKED)
        @lifecycle.end
        @subscribers.close
        @terminated.fill(true)
      end

      # Stops everything.
      def kill
        @lifecycle.close(Lifecycle::CLOSED)
        @run_queue.close
        stop_all(PoolFailures::KILLED)
        post([:kill].freeze)
        @fallback&.engine&.kill
      end

      private

      # Whether this is the Ractor of the coordinator.
      def home?
        @home.equal?(Ractor.current)
      end

      # What waits, and what workers have in hand.
      def stop_all(failure)
        while (batch = @run_queue.try_pop)
          stop(batch, failure)
        end
        @board.values.each do |running|
          stop(running, failure)
          running.completion.interrupt if running.stopped? # it was done before, and no future is to say otherwise
        end
      end
    end
  end
end
