# frozen_string_literal: true

require "test_helper"
require "support/linearizability"

# What threads in several Ractors see of a Counter, a Queue and a Map is what they would see if each call happened at
# one moment. Rounds are short and begin at once in all threads, so that many calls overlap.
class LinearizabilityStress < Minitest::Test
  THREADS = 4
  CALLS = 5

  # What each operation does to an Integer.
  module CounterModel
    class << self
      def apply(counter, operation)
        name, *arguments = operation
        counter.public_send(name, *arguments)
      end

      def step(state, operation)
        name, first, second = operation
        case name
        when :increment then [state + first, state + first]
        when :read then [state, state]
        when :reset then [state, first]
        when :compare_and_set then state == first ? [true, second] : [false, state]
        end
      end

      def random(random)
        case random.rand(4)
        when 0 then [:increment, random.rand(-2..2)]
        when 1 then [:read]
        when 2 then [:reset, random.rand(3)]
        when 3 then [:compare_and_set, random.rand(3), random.rand(3)]
        end
      end
    end
  end

  # What each operation does to an Array. The second half of the state is whether the queue is closed.
  module QueueModel
    CAPACITY = 3

    class << self
      def apply(queue, operation)
        case operation
        in [:push, item] then queue.push(item, timeout: 0) ? :in : :full
        in [:pop] then queue.pop(timeout: 0)
        in [:pop_many, most] then queue.pop_many(most, timeout: 0)
        in [:clear | :close => name] then queue.public_send(name) && name
        in [name, *arguments] then queue.public_send(name, *arguments)
        end
      rescue ::ClosedQueueError
        :closed
      end

      def step(state, operation)
        items, closed = state
        case operation
        in [:push, item] then push(items, closed, item, :in, :full)
        in [:try_push, item] then push(items, closed, item, true, false)
        in [:pop | :try_pop] then [items.first, [items.drop(1), closed]]
        in [:pop_many, most] then [items.take(most), [items.drop(most), closed]]
        in [:clear] then [:clear, [[], closed]]
        in [:close] then [:close, [items, true]]
        in [:peek] then [items.first, state]
        in [:size] then [items.size, state]
        in [:closed?] then [closed, state]
        end
      end

      def random(random)
        case random.rand(20)
        when 0..5 then [random.rand(2).zero? ? :push : :try_push, random.rand(100)]
        when 6..11 then [random.rand(2).zero? ? :pop : :try_pop]
        when 12..14 then [:pop_many, random.rand(1..3)]
        when 15..18 then [%i[peek size closed? clear][random.rand(4)]]
        else [:close]
        end
      end

      private

      def push(items, closed, item, done, full)
        return [:closed, [items, closed]] if closed

        items.size < CAPACITY ? [done, [[*items, item], closed]] : [full, [items, closed]]
      end
    end
  end

  # What each operation does to a Hash of Integers.
  module MapModel
    CHANGES = %i[set increment compute fetch_and_modify fetch_or_store put_if_absent get_and_set
                 replace_if_exists].freeze

    class << self
      def apply(map, operation)
        case operation
        in [:clear] then map.clear && :clear
        in [:compute | :fetch_and_modify | :upsert => name, *arguments, by]
          map.public_send(name, *arguments) { |value| pass_now_and_then(value.to_i + by, by) }
        in [:fetch_or_store, key, value] then map.fetch_or_store(key) { pass_now_and_then(value, value) }
        in [name, *arguments] then map.public_send(name, *arguments)
        end
      end

      def step(state, operation)
        name, key, first, second = operation
        there = state[key]
        case name
        when :get then [there, state]
        when :key? then [state.key?(key), state]
        when :set then [first, state.merge(key => first)]
        when :delete then [there, state.except(key)]
        when :increment then changed(state, key, there.to_i + first)
        when :compute then changed(state, key, there.to_i + first)
        when :upsert then changed(state, key, there ? there + second : first)
        when :fetch_and_modify then there ? changed(state, key, there + first) : [nil, state]
        when :fetch_or_store then there ? [there, state] : changed(state, key, first)
        when :put_if_absent then there ? [there, state] : [nil, state.merge(key => first)]
        when :get_and_set then [there, state.merge(key => first)]
        when :replace_if_exists then there ? [there, state.merge(key => first)] : [nil, state]
        when :compare_and_set then there == first ? [true, state.merge(key => second)] : [false, state]
        when :size then [state.size, state]
        when :empty? then [state.empty?, state]
        when :to_h then [state, state]
        when :clear then [:clear, {}]
        end
      end

      def random(random)
        key = "key #{random.rand(3)}"
        case random.rand(24)
        when 0..1 then [%i[get key? delete][random.rand(3)], key]
        when 2..13 then [CHANGES[random.rand(CHANGES.size)], key, random.rand(4)]
        when 14..16 then [%i[upsert compare_and_set][random.rand(2)], key, random.rand(3), random.rand(3)]
        when 17..18 then [:set, "new #{random.rand(1_000)}", 1] # the table may grow
        when 19..22 then [%i[to_h size empty?][random.rand(3)]]
        else [:clear]
        end
      end

      private

      def changed(state, key, value)
        [value, state.merge(key => value)]
      end

      # Another thread of the Ractor runs in the midst of the block.
      def pass_now_and_then(value, by)
        Thread.pass if by.odd?
        value
      end
    end
  end

  def test_a_counter_changes_at_one_moment
    assert_linearizable(CounterModel, 0, stress(100)) { Ratomic::Counter.new }
  end

  def test_a_queue_changes_at_one_moment
    assert_linearizable(QueueModel, [[], false], stress(100)) { Ratomic::Queue.new(QueueModel::CAPACITY) }
  end

  # A small table gets more shards with its fifth and its thirty-third entry.
  def test_a_map_changes_at_one_moment
    [0, 3, 31].each do |size|
      entries = Array.new(size) { |number| ["entry #{number}", number] }.to_h.freeze
      assert_linearizable(MapModel, entries, stress(60), size) { Ratomic::Map.new.update(entries) }
    end
  end

  def test_a_history_without_an_order_is_found
    calls = [[0, 1, [:increment, 1], 1], [2, 3, [:read], 0]].map { |call| Linearizability::Call.new(*call) }
    refute Linearizability.order?(calls, 0, &CounterModel.method(:step))
    calls.last.began = 1 # now it may have come first
    assert Linearizability.order?(calls, 0, &CounterModel.method(:step))
  end

  # @param chance [Integer] tells the random numbers of several runs in one test apart
  # @yieldreturn [Object] a new one for each round
  def assert_linearizable(model, state, rounds, chance = 0)
    objects = Array.new(rounds) { yield }.freeze
    gate = Ratomic::Counter.new
    orders = Array.new(THREADS) { |number| operations(model, rounds, seeded((10 * chance) + number)) }
    threads = orders.each_with_index.map { |list, number| start(number, model, objects, list, gate) }
    histories = within(120) { threads.map(&:value) }
    rounds.times do |round|
      calls = histories.flat_map { |history| history[round].map { |call| Linearizability::Call.new(*call) } }
      found = Linearizability.order?(calls, state) { |before, operation| model.step(before, operation) }
      assert found, "no order explains round #{round}:\n#{calls.sort_by(&:began).join("\n")}"
    end
  end

  def operations(model, rounds, random)
    Array.new(rounds) { Array.new(CALLS) { model.random(random) } }
  end

  # If there are Ractors, every second thread is in one: these run at the same time as the others.
  def start(number, *all)
    return Thread.new { LinearizabilityStress.run_rounds(*all) } if number.even? || !Ratomic::RACTORS

    Ractor.new(*all) { |*given| LinearizabilityStress.run_rounds(*given) }
  end

  def self.run_rounds(model, objects, operations, gate)
    objects.zip(operations).map.with_index(1) do |(object, list), round|
      gate.increment
      Thread.pass until gate.read >= round * THREADS
      Linearizability.record(list) { |operation| model.apply(object, operation) }
    end
  end
end
