# frozen_string_literal: true

module Ports
  # Load balancing: many tasks, some workers, and each gets its next task when it is done with the last one.
  module Balance
    # Workers say over a port that they are ready, and the producer answers each with a task.
    class Bare
      def initialize(workers)
        @control = Ractor::Port.new
        @idle = []
        @workers = Array.new(workers) do
          Ractor.new(@control) do |control|
            control.send([Ractor.current, nil, nil].freeze)
            while (task = Ractor.receive)
              index, number = task
              control.send([Ractor.current, index, Task.call(number)].freeze)
            end
          end
        end
      end

      def call(items)
        answers = Array.new(items.size)
        given = done = 0
        until done == items.size
          given = hand_out(items, given)
          worker, index, answer = @control.receive
          @idle << worker
          next unless index

          answers[index] = answer
          done += 1
        end
        answers
      end

      def close
        @workers.each { |worker| worker.send(nil) }.each(&:join)
        @control.close
      end

      private

      def hand_out(items, given)
        while given < items.size && (worker = @idle.shift)
          worker.send([given, items[given]].freeze)
          given += 1
        end
        given
      end
    end

    # One dispatch: the workers take what they can do, in chunks, and nobody hands anything out.
    class Pool
      def initialize(workers)
        @pool = Ratomic::Workers::Pool.new(size: workers, min_batch: 0, name: "ports-balance")
      end

      def call(items)
        @pool.dispatch_async(items, Task).value!
      end

      def close
        @pool.shutdown
      end
    end

    WAYS = { "Ractor::Port" => Bare, "Workers" => Pool }.freeze
  end
end
