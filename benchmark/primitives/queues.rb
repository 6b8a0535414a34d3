# frozen_string_literal: true

module Primitives
  # Queue against Thread::SizedQueue and against Ractor::Port.
  module Queues
    NAME = "queue"
    ITEM = "an item"

    module_function

    def contests(scale)
      count = (1_000_000 * scale).to_i
      [alone(count), between_threads(count / 4, 128), between_threads(count / 20, 1),
       *([between_ractors(count / 4), ping_pong((20_000 * scale).to_i)] if Ratomic::RACTORS)]
    end

    def alone(count)
      queue = Ratomic::Queue.new(128)
      sized = Thread::SizedQueue.new(128)
      Contest.new("Queue, push and pop with nobody waiting", unit: "pairs/s") do
        contestant("Queue") { Queues.push_and_pop(queue, count) }
        contestant("Thread::SizedQueue") { Queues.push_and_pop(sized, count) }
        ask "Queue", "Thread::SizedQueue", 1
      end
    end

    def between_threads(count, capacity)
      Contest.new("Queue of #{capacity}, from thread to thread", unit: "messages/s") do
        contestant("Queue") { Queues.through_threads(Ratomic::Queue.new(capacity), count) }
        contestant("Thread::SizedQueue") { Queues.through_threads(Thread::SizedQueue.new(capacity), count) }
      end
    end

    def between_ractors(count)
      Contest.new("Queue, from Ractor to Ractor", unit: "messages/s") do
        contestant("Queue") { Queues.through_queue(Ratomic::Queue.new(1_024), count) }
        contestant("Queue, pop_many") { Queues.through_queue(Ratomic::Queue.new(1_024), count, :drain_many) }
        contestant("Ractor::Port") { Queues.through_port(count) }
        ask "Queue", "Ractor::Port", 2.5
      end
    end

    def ping_pong(count)
      Contest.new("Queue, there and back between two Ractors", unit: "round trips/s") do
        contestant("Queue") { Queues.echo_queues(count) }
        contestant("Ractor::Port") { Queues.echo_ports(count) }
      end
    end

    def push_and_pop(queue, count)
      done = 0
      while done < count
        queue.push(ITEM)
        queue.pop
        done += 1
      end
      count
    end

    def through_threads(queue, count)
      producer = Thread.new { Queues.feed(queue, count) }
      Queues.drain(queue, count)
      producer.value
    end

    def through_queue(queue, count, drain = :drain)
      producer = Ractor.new(queue, count) { |line, times| Queues.feed(line, times) }
      consumer = Ractor.new(queue, count, drain) { |line, times, method| Queues.public_send(method, line, times) }
      producer.value
      consumer.value
    end

    def through_port(count)
      consumer = Ractor.new(count) do |times|
        done = 0
        done += 1 while done < times && Ractor.receive
        times
      end
      producer = Ractor.new(consumer, count) do |there, times|
        done = 0
        done += 1 while done < times && (there << ITEM)
      end
      producer.value
      consumer.value
    end

    def echo_queues(count)
      there = Ratomic::Queue.new(1)
      back = Ratomic::Queue.new(1)
      echo = Ractor.new(there, back, count) { |from, to, times| times.times { to << from.pop } }
      count.times { (there << ITEM) && back.pop }
      echo.value
      count
    end

    def echo_ports(count)
      back = Ractor::Port.new
      echo = Ractor.new(back, count) { |to, times| times.times { to << Ractor.receive } }
      count.times { (echo << ITEM) && back.receive }
      echo.value
      back.close
      count
    end

    def feed(queue, count)
      done = 0
      done += 1 while done < count && queue.push(ITEM)
      count
    end

    def drain(queue, count)
      done = 0
      done += 1 while done < count && queue.pop
      count
    end

    def drain_many(queue, count)
      done = 0
      done += queue.pop_many(64).size while done < count
      count
    end
  end
end
