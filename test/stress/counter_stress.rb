# frozen_string_literal: true

require "test_helper"

class CounterStress < Minitest::Test
  def test_random_operations_do_what_an_integer_does
    random = seeded
    counter = Ratomic::Counter.new
    plain = 0
    stress(20_000).times do
      number = random.rand(3).zero? ? random.rand(-(2**63)..((2**63) - 1)) : random.rand(-5..5)
      plain = change(counter, plain, number, random.rand(4))
      assert_equal plain, counter.read
    end
  end

  def test_threads_in_ractors_lose_nothing_and_see_each_value_once
    skip_without_ractors
    counter = Ratomic::Counter.new
    count = stress(1_000)
    ractors = Array.new(3) do
      Ractor.new(counter, count) do |shared, times|
        Array.new(2) { Thread.new { Array.new(times) { shared.increment } } }.flat_map(&:value)
      end
    end
    seen = within(120) { ractors.flat_map(&:value) }
    assert((1..6 * count).to_a == seen.sort)
  end

  def test_killed_threads_leave_a_sound_counter
    random = seeded(1)
    counter = Ratomic::Counter.new
    ups = Array.new(4) { 0 }
    stress(100).times do
      threads = Array.new(4) do |place|
        Thread.new do
          Thread.handle_interrupt(Object => :on_blocking) { 100.times { counter.increment && ups[place] += 1 } }
        end
      end
      random.rand(20).times { Thread.pass }
      threads.each(&:kill).each(&:join)
    end
    assert_equal ups.sum, counter.read
  end

  private

  def change(counter, plain, number, operation)
    case operation
    when 0 then bounded(plain + number, plain) { counter.increment(number) }
    when 1 then bounded(plain - number, plain) { counter.decrement(number) }
    when 2
      assert_equal plain, counter.reset(number)
      number
    when 3
      assert_equal plain == number, counter.compare_and_set(number, 1)
      plain == number ? 1 : plain
    end
  end

  def bounded(result, before, &block)
    if result.bit_length < 64
      assert_equal result, yield
      result
    else
      assert_raises(RangeError, &block)
      before
    end
  end
end
