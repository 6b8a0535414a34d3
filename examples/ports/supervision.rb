# frozen_string_literal: true

module Ports
  # Supervision by monitor: a worker that dies is noticed and replaced, and what it had in hand is told as lost.
  module Supervision
    # One worker: its Ractor, the port on which its death is told, and the index of what it has in hand.
    class Seat
      attr_reader :death
      attr_accessor :task

      def initialize(answers)
        # A port for each: on some Rubies the message of a monitor does not say which Ractor has ended.
        @death = Ractor::Port.new
        @answers = answers
        hire
      end

      def hire
        @ractor = Ractor.new(@answers, @death) do |answers, seat|
          Thread.current.report_on_exception = false
          while (task = Ractor.receive)
            index, number = task
            answers.send([seat, index, Task.call(number)].freeze)
          end
        end
        @ractor.monitor(@death)
      end

      def give(index, number)
        @task = index
        @ractor.send([index, number].freeze)
      end

      def close
        @ractor.send(nil)
        @death.receive
        @death.close
      end
    end

    # One port for the answers, and one port for the end of each worker.
    class Bare
      def initialize(workers)
        @answers = Ractor::Port.new
        @seats = Array.new(workers) { Seat.new(@answers) }.to_h { |seat| [seat.death, seat] }
      end

      def call(items)
        answers = Array.new(items.size)
        waiting = items.each_with_index.to_a
        done = 0
        until done == items.size
          occupy(waiting)
          port, message = Ractor.select(@answers, *@seats.keys)
          port.equal?(@answers) ? take(answers, message) : replace(@seats.fetch(port))
          done += 1
        end
        answers
      end

      def close
        @seats.each_value(&:close)
        @answers.close
      end

      private

      def occupy(waiting)
        @seats.each_value do |seat|
          next if seat.task || waiting.empty?

          number, index = waiting.shift
          seat.give(index, number)
        end
      end

      def take(answers, message)
        death, index, answer = message
        answers[index] = answer
        @seats.fetch(death).task = nil
      end

      def replace(seat)
        seat.task = nil
        seat.hire
      end
    end

    # An item that raises is a Failure, and its worker lives on. An item that ends its worker is a Failure, too.
    class Pool
      def initialize(workers)
        @pool = Ratomic::Workers::Pool.new(size: workers, min_batch: 0, name: "ports-supervision")
      end

      def call(items)
        @pool.dispatch_async(items, Task).value.map { |answer| answer unless answer.is_a?(Ratomic::Workers::Failure) }
      end

      def close
        @pool.shutdown
      end
    end

    WAYS = { "Ractor::Port" => Bare, "Workers" => Pool }.freeze
  end
end
