# frozen_string_literal: true

require_relative "actor"

module Soak
  # Ractors that allocate, share a Map, a Queue and a Counter, and dispatch. All that they counted is there in the end.
  class Neighbour < Actor
    BESIDE = 2

    # What one of these Ractors does until the round is over.
    module Life
      # @return [Array<Integer>] how often it counted, the sum of what it pushed, and of what it popped
      def self.run(map, queue, counter, pool, random)
        counted = pushed = popped = number = 0
        until Work.over?
          counter.increment
          map.increment("total")
          map[["text", number += 1, random.rand(9)]] = { "list" => Array.new(5) { |place| "text #{place}" } }
          map.delete(["text", number, random.rand(9)])
          counted += 1
          pushed += number if queue.push(number, timeout: 0)
          popped += queue.pop(timeout: 0) || 0
          dispatch(pool, random) if (number % 50).zero?
        end
        [counted, pushed, popped]
      end

      def self.dispatch(pool, random)
        items = Work.items(random, 10)
        results = pool.dispatch_async(items, Work).value(timeout: 60)
        Work.compare(items, results, false)
      rescue Ratomic::Workers::ShutdownError
        nil
      end
    end

    def initialize(*)
      super
      @map = Ratomic::Map.new
      @queue = Ratomic::Queue.new(32)
      @counter = Ratomic::Counter.new
      @beside = Array.new(BESIDE) { live(@stage.pool(@random), @random.rand(2**30)) }
    end

    def act
      sleep 0.05
    end

    def finish
      all = @beside.map(&:value)
      counted, pushed, popped = all.transpose.map(&:sum)
      rest = 0
      while (item = @queue.pop(timeout: 0))
        rest += item
      end
      seen = [@counter.read, @map["total"], popped + rest]
      return if seen == [counted, counted, pushed]

      raise Wrong, "#{seen} instead of #{[counted, counted, pushed]} (seed #{@stage.seed})"
    end

    private

    def live(pool, seed)
      arguments = [@map, @queue, @counter, pool, seed]
      return Thread.new(*arguments) { |*shared, own| Life.run(*shared, Random.new(own)) } unless Ratomic::RACTORS

      Ractor.new(*arguments) { |*shared, own| Life.run(*shared, Random.new(own)) }
    end
  end
end
