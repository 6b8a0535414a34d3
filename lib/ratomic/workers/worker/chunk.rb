# frozen_string_literal: true

require_relative "by_process"
require_relative "halting"

module Ratomic
  module Workers
    # A range of items that one worker has claimed. It runs in a thread that an item may kill at any moment. So the
    # results are kept where the worker's main thread can read them. Whenever the thread dies, the item at fault is the
    # one with the index `first + results.size`.
    class Chunk
      include ByProcess
      include Halting

      attr_reader :batch, :first, :last, :results, :cut, :fatal, :failed, :asked
      # @return [:in_place, :copied] how its results are made shareable, see {ResultFreezer.seal}
      attr_reader :sealing

      # Whether it stopped early because it took longer than expected.
      alias cut? cut
      # Whether the item at fault has ended its worker, and not only its thread.
      alias fatal? fatal
      # Whether there are Failures among the results.
      alias failed? failed
      # Whether methods of the results were called when they were sealed.
      alias asked? asked

      # @param first [Integer] index of the first item of the chunk
      # @param last [Integer] index after the last one
      # @param stride [Integer] a power of two: at every stride-th item it looks whether the dispatch was cancelled, and
      #   at the clock
      # @param limit [Integer, nil] nanoseconds after which it stops early and leaves the rest to others
      def initialize(batch, callable, first, last, stride, limit = nil)
        @batch = batch
        @callable = callable
        @items = batch.items
        @offset = 0
        @first = first
        @last = last
        @mask = stride - 1
        @limit = limit
        @results = []
        @sealing = :in_place
        @failed = @fatal = @asked = @cut = @whole = @in_run = @halting = @halted = false
      end

      # Its items go to the callable's `call_many`, see {Runs}, unless they have to run one by one.
      # @return [self]
      def whole
        @whole = !@batch.alone?
        self
      end

      # Says that the chunk runs in the program's own Ractor. There the program may use the results elsewhere, so copies
      # of them are frozen.
      # @return [self]
      def share_memory
        @sealing = :copied
        self
      end

      # Whether its results are not frozen, see {OwnedChunk}.
      def owned?
        false
      end

      # The items of a moved batch come in parcels.
      # @param items [Array] of this chunk
      # @return [self]
      def unpack(items)
        @items = items
        @offset = @first
        self
      end

      # Whether #run_watched is needed.
      def slow_path?
        @batch.slow_path? || (@batch.moved? && @items.any?(Transfer::Refused))
      end

      # Runs the items.
      #
      # No keyword call is in here: their call info can be freed under a running Ractor (CRuby Bug #22075).
      # @param guard [Thread] the thread that looks after this one; an item that interrupts it is at fault
      # @param started [Integer] monotonic nanoseconds
      # @return [Boolean] false when the last item run has done so
      def run(guard, started = 0)
        return run_whole(guard, started) if @whole

        index = @first - @offset
        stop = @last - @offset
        items = @items
        callable = @callable
        results = @results
        while index < stop
          break if (index & @mask).zero? && stop?(started)

          begin
            result = callable.call(items[index])
          rescue Exception => e # rubocop:disable Lint/RescueException -- whatever an item throws is its result
            result = fail_with(e, index + @offset)
            stop = index + 1 if @halted
          end
          results << result # outside of the rescue: an exception from another thread would add a second result
          return false if guard.pending_interrupt?

          index += 1
        end
        true
      end

      # As #run, with all items in one call.
      def run_whole(guard, started)
        @in_run = true
        results = results_of_all
        @results.concat(results) if results
        return false if guard.pending_interrupt?

        @in_run = @whole = false
        results ? true : run(guard, started)
      end
      private :run_whole

      # As #run, and records the start of each item, so that the watchdog finds items that run too long.
      # @param worker_status [WorkerStatus]
      # @param gate [Thread::Mutex] held while an item begins or ends, so that an interrupt meets the item it is meant
      #   for
      # @param started [Integer] as in #run
      def run_watched(guard, worker_status, gate, started = 0)
        while (index = @first + @results.size) < @last
          return true if worker_status.abandoned? || stop?(started)

          gate.synchronize { worker_status.begin_item(index) }
          result = attempt(index)
          gate.synchronize do
            worker_status.end_item
            @results << result
          end
          return false if guard.pending_interrupt?
          return true if @halted
        end
        true
      end

      # Says that there are Failures among the results.
      def note_failures
        @failed = true
      end

      # A copy of the results so far, while the chunk may still run. `dup` would share memory with the original Array,
      # and then neither of the two could be sealed natively.
      # @return [Array]
      def so_far
        @results.map(&:itself)
      end

      # Makes the results shareable, in the thread that ran the items: their `freeze` is an item's code as well.
      def seal
        results = Failures.number(@results, @first)
        sealed = ResultFreezer.seal(results, @first, @sealing)
        @asked = !sealed.equal?(results)
        @failed ||= Failures.any?(sealed) # the callable may have returned some
        @results = sealed
      end

      # Whether it has ended in a call of `call_many`. Then any of its items can be the one at fault.
      def in_run?
        @in_run && @results.empty?
      end

      # The item that was running, or was to run next, when the run ended early.
      # @return [Integer, nil] nil if all items have run, or if the chunk has stopped by itself
      def failed_index
        index = @first + @results.size
        index if index < @last && !@cut && !@halted
      end

      # @return [Integer] index of the first item that has not run and is not at fault
      def next_index
        @first + @results.size + (failed_index ? 1 : 0)
      end

      # Says that the last item with a result is at fault: it has ended the worker after it had returned. After
      # `call_many` the item at fault is not known.
      def blame_last
        @in_run ? @results.clear : @results.pop
        @fatal = true
      end

      # The items from that index on.
      # @return [Array]
      def rest(index)
        @items[(index - @offset)...(@last - @offset)]
      end

      # @param cost [Float, nil] measured, of a unit of weight
      # @return [Float, nil] nanoseconds that all its items will take
      def estimate(cost)
        cost && (cost * (@last - @first) * @batch.mean)
      end

      # @return [Integer] weight of the items that have run
      def weight
        WorkEstimate.sum(@items, @first - @offset, @results.size)
      end

      private

      # Called before each item except the first; the runner has checked for that one.
      def stop?(started)
        return false if @results.empty?
        return true if @batch.completion.complete?
        return false unless @limit

        @cut = Process.clock_gettime(Process::CLOCK_MONOTONIC, :nanosecond) - started > @limit
      end

      # @return [Array, nil] nil when it raised
      def results_of_all
        results = Runs.results(@callable, @items[(@first - @offset)...(@last - @offset)].freeze)
        @failed = true if Runs.failed?(@callable, results)
        results
      rescue Exception # rubocop:disable Lint/RescueException -- as in #run; the item at fault raises it again
        nil
      end

      def refuse(item)
        @failed = true
        item.failure
      end

      # Makes a result shareable. The time that this takes counts as the item's.
      def seal_one(result, index)
        sealed = ResultFreezer.seal_one(result, index, @sealing)
        @failed = true if Failure === sealed
        sealed
      end

      def attempt(index)
        item = @items[index - @offset]
        return refuse(item) if Transfer::Refused === item

        seal_one(@callable.call(item), index)
      rescue Exception => e # rubocop:disable Lint/RescueException -- as in #run
        fail_with(e, index)
      end
    end
  end
end
