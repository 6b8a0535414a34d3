# frozen_string_literal: true

require_relative "failed"

module Demo
  # A plain pool of threads over a Thread::Queue: the yardstick of the threads mode.
  class ThreadPool
    # Pieces per thread: enough that they finish at about the same time, few enough that the queue costs nothing.
    PIECES = 16

    # @param size [Integer] how many threads
    def initialize(size)
      @size = size
      @work = Thread::Queue.new
      @threads = Array.new(size) { Thread.new { work } }
    end

    # Blocks until all is done.
    # @return [Array] the results in the order of the items, a {Failed} for an item that raised
    def map(items, callable)
      results = Array.new(items.size)
      done = Thread::Queue.new
      pieces = (0...items.size).each_slice([items.size / (@size * PIECES), 1].max).to_a
      pieces.each { |piece| @work << [items, callable, piece, results, done] }
      pieces.size.times { raise_unless_nil(done.pop) }
      results
    end

    # Ends the threads, after the work that they have.
    def shutdown
      @work.close
      @threads.each(&:join)
    end

    private

    def work
      while (items, callable, piece, results, done = @work.pop)
        begin
          piece.each { |index| results[index] = Failed.guard(callable, items[index]) }
          done << nil
        rescue Exception => e # rubocop:disable Lint/RescueException -- whoever waits must hear of it
          done << e
        end
      end
    end

    def raise_unless_nil(error)
      raise error if error
    end
  end
end
