# frozen_string_literal: true

module Ports
  # Request and response: one asks, another answers, and the next question follows the answer.
  module Request
    # A Ractor that is sent the question and the port to which the answer goes.
    class Bare
      def initialize(_workers)
        @server = Ractor.new do
          while (message = Ractor.receive)
            number, answer = message
            answer.send(Task.call(number))
          end
        end
      end

      # Waits for ever if the server dies: a port does not tell.
      def call(items)
        answer = Ractor::Port.new
        items.map do |number|
          @server.send([number, answer].freeze)
          answer.receive
        end
      ensure
        answer&.close
      end

      def close
        @server.send(nil)
        @server.join
      end
    end

    # The same with a Queue there and a Queue back. What waits has a bound, and waiting can have a timeout.
    class Queues
      def initialize(_workers)
        @requests = Ratomic::Queue.new(16)
        @server = Ractor.new(@requests) do |requests|
          while (message = requests.pop)
            number, answer = message
            answer.push(Task.call(number))
          end
        end
      end

      def call(items)
        answer = Ratomic::Queue.new(1)
        items.map do |number|
          @requests.push([number, answer].freeze)
          answer.pop(timeout: 10) or raise Ratomic::TimeoutError, "no answer within 10 s"
        end
      end

      def close
        @requests.close
        @server.join
      end
    end

    # One dispatch for each question. An error of the server is in the answer, and a dead server is replaced.
    class Pool
      def initialize(_workers)
        @pool = Ratomic::Workers::Pool.new(size: 1, min_batch: 0, name: "ports-request")
      end

      def call(items)
        items.map { |number| @pool.dispatch_async([number], Task).value!.first }
      end

      def close
        @pool.shutdown
      end
    end

    WAYS = { "Ractor::Port" => Bare, "Queue" => Queues, "Workers" => Pool }.freeze
  end
end
