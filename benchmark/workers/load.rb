# frozen_string_literal: true

module WorkersBench
  # What is run.
  module Load
    # Returns the item: what a dispatch itself costs.
    module Nothing
      def self.call(item)
        item
      end
    end

    # Computes for about so many microseconds.
    module Spin
      # Rounds of its loop in a microsecond, found out before the first use.
      ROUNDS = Ratomic::Counter.new(50)

      def self.call(microseconds)
        stop = microseconds * ROUNDS.value
        sum = i = 0
        while i < stop
          sum += i & 7
          i += 1
        end
        sum
      end

      # Several times, because it gets faster when it is compiled.
      def self.calibrate
        5.times do
          best = Array.new(30) do
            started = WorkersBench.now
            call(200)
            WorkersBench.now - started
          end.min
          ROUNDS.reset([(ROUNDS.value * 0.0002 / best).round, 1].max)
        end
      end
    end

    # JSON documents of about the given bytes, nested, every one different, from a seed.
    def self.documents(bytes, count, seed = 42)
      random = Random.new(seed)
      Array.new(count) do |number|
        event = { id: number, type: "order.created", at: 1_700_000_000 + number, customer: customer(random), lines: [] }
        event[:lines] << line(random) while JSON.generate(event).bytesize < bytes - 60
        JSON.generate(event).freeze
      end.freeze
    end

    def self.customer(random)
      { name: random.bytes(8).unpack1("H*"), vip: random.rand < 0.1,
        address: { street: random.bytes(6).unpack1("H*"), zip: random.rand(99_999) } }
    end

    def self.line(random)
      tags = Array.new(2) { random.bytes(3).unpack1("H*") }
      { sku: random.bytes(5).unpack1("H*"), quantity: random.rand(9), price: random.rand.round(4), tags: tags }
    end
    private_class_method :customer, :line
  end
end
