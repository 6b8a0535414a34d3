# frozen_string_literal: true

module Ratomic
  module Workers
    # Small work is done by the caller itself, in its own thread: waking a worker would take longer.
    #
    # Only a callable that workers have run before, and that behaved, is run so. What an item may do to its thread
    # (`throw`, `exit`) becomes a Failure here as there; but `Thread.exit` would end the caller.
    class ByCaller
      # Errors from another thread (Timeout, Thread#raise) wait until the items are done, or they would be taken for an
      # item's.
      LATER = { StandardError => :never }.freeze
      # What ends a `Timeout.timeout` block. It may not be loaded.
      EXIT = "Timeout::ExitException"
      # A pool that cannot save time, with one worker or with threads, is there for work to go on beside the caller.
      LEAST_GAIN = 0.5
      # One in so many (a power of two) is measured again.
      MEASURED = 8

      # Work from which a dispatch to the pool pays by estimate, times this, is so much that it pays.
      CERTAIN = 4
      # Nanoseconds of work from which the caller's time is compared with the pool's.
      COMPARED = 50_000

      # Runs the items, if they are for the caller.
      # @param callable [#call] admitted
      # @return [Array, nil] frozen results; nil when the pool is to run the items
      # @yield when it is then to be compared how long the caller waits, see {Trials}
      def self.results(engine, items, callable, options)
        return unless fit?(options) && !callable.is_a?(Locals::Ref)
        return unless engine.subscribers.none? # they are told of batches

        place = place(engine, items, key = Callable.key(callable), options.min_batch)
        yield if place == :trial
        return unless place == :caller

        packed = Transfer.pack(items)
        new(engine, packed, callable, key).run(options.context) unless packed.instance_of?(Transfer::Holed)
      end

      def self.fit?(options)
        options.min_batch != 0 && !(options.timeout || options.item_timeout || options.move)
      end

      # @return [Symbol] :caller, :pool, or :trial
      def self.place(engine, items, key, least)
        cost = engine.costs.tame(key)
        return :pool unless cost
        return items.size < least ? :caller : :pool if least.is_a?(Integer)

        enough = engine.costs.waking / [engine.gain, LEAST_GAIN].max
        return :pool if items.size * Weight::ITEM * cost > enough * CERTAIN # an item weighs no less

        work = Weight.of(items) * cost
        return :caller if work < enough
        return :pool if work > enough * CERTAIN || !engine.idle? # somebody waits for later, or in another thread

        engine.costs.trials.caller?(key) ? :caller : :trial
      end
      private_class_method :fit?, :place

      def initialize(engine, items, callable, key)
        @engine = engine
        @items = items
        @callable = callable
        @key = key
        @results = []
      end

      # @return [Array] frozen and shareable
      def run(context)
        started = Process.clock_gettime(Process::CLOCK_MONOTONIC, :nanosecond)
        Thread.handle_interrupt(LATER) { Context.with(context) { run_on until @results.size == @items.size } }
        took = Process.clock_gettime(Process::CLOCK_MONOTONIC, :nanosecond) - started
        sealed = Transfer.seal(@results, 0)
        account(took, sealed)
        sealed
      end

      private

      # Runs from where the results end.
      def run_on
        passing = $!
        done = false
        run_all
        done = true
      ensure
        # By throw, break or return an item can leave past us. That ends here, as it would in a worker. What ends the
        # thread, or is an exception for the caller, goes on.
        unless done || !$!.equal?(passing) || Thread.current.status == "aborting"
          left_by_throw
          return # rubocop:disable Lint/EnsureReturn
        end
      end

      def run_all
        items = @items
        callable = @callable
        results = @results
        size = items.size
        index = results.size
        while index < size
          begin
            results << callable.call(items[index])
          rescue Exception => e # rubocop:disable Lint/RescueException -- whatever an item throws is its result
            results << failure(e, index)
          end
          index += 1
        end
      end

      # Lets through what is meant for the caller: signals, and the end of a `Timeout.timeout` block.
      def failure(error, index)
        raise error if error.is_a?(SignalException) || error.class.to_s == EXIT

        @failed = true
        Failure.from(error, index)
      end

      def left_by_throw
        index = @results.size
        @failed = true
        @engine.costs.mark_wild(@key)
        @results << Failure.new(index, "UncaughtThrowError", Verdict::DIED[:throw], [Callable.place(@callable)].compact)
      end

      def account(took, sealed)
        metrics = @engine.metrics
        metrics.by_caller_items.increment(@items.size)
        metrics.complete(took)
        metrics.count_failures(sealed) if @failed || !sealed.equal?(@results)
        @engine.costs.trials.learn_caller(@key, took, @items.size) if took > COMPARED
        return unless (metrics.by_caller.increment & (MEASURED - 1)).zero? || took > Costs::SLOW

        @engine.costs.learn(@key, Weight.of(@items), took, @items.size)
      end
    end
  end
end
