# frozen_string_literal: true

module Ports
  # One channel with many receivers: any of them may take the next item.
  module OneChannel
    # Items go through a {Channel}, results come back through a port.
    class Bare
      def initialize(workers)
        @channel = Channel.new
        @answers = Ractor::Port.new
        @receivers = Array.new(workers) do
          Ractor.new(@channel, @answers) do |channel, answers|
            mine = Ractor::Port.new
            while (index, number = channel.take(mine))
              answers.send([index, Task.call(number)].freeze)
            end
          end
        end
      end

      def call(items)
        items.each_with_index { |number, index| @channel.put([index, number].freeze) }
        items.each_with_object([]) do |_, answers|
          index, answer = @answers.receive
          answers[index] = answer
        end
      end

      def close
        @receivers.each { @channel.put(nil) }.each(&:join)
        @channel.close
        @answers.close
      end
    end

    # Items go through a Queue, results come back through another. A producer waits while its Queue is full. So results
    # are taken in between.
    class Queues
      CAPACITY = 1_024

      def initialize(workers)
        @tasks = Ratomic::Queue.new(CAPACITY)
        @answers = Ratomic::Queue.new(CAPACITY)
        @receivers = Array.new(workers) do
          Ractor.new(@tasks, @answers) do |tasks, answers|
            while (index, number = tasks.pop)
              answers.push([index, Task.call(number)].freeze)
            end
          end
        end
      end

      def call(items)
        answers = Array.new(items.size)
        items.each_slice(CAPACITY).with_index do |slice, part|
          slice.each_with_index { |number, place| @tasks.push([(part * CAPACITY) + place, number].freeze) }
          collect(answers, slice.size)
        end
        answers
      end

      def close
        @tasks.close
        @receivers.each(&:join)
      end

      private

      def collect(answers, count)
        until count.zero?
          arrived = @answers.pop_many(count, timeout: 10)
          raise Ratomic::TimeoutError, "#{count} answers did not come within 10 s" if arrived.nil? || arrived.empty?

          arrived.each { |index, answer| answers[index] = answer }
          count -= arrived.size
        end
      end
    end

    WAYS = { "Ractor::Port" => Bare, "Queue" => Queues }.freeze
  end
end
