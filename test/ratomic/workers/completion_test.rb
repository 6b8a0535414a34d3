# frozen_string_literal: true

require "test_helper"
require "timeout"

class CompletionTest < Minitest::Test
  Completion = Ratomic::Workers::Completion

  def test_slots_are_filled_in_any_order_and_read_in_theirs
    completion = Completion.new(4)
    assert_equal 2, completion.file(2, results("c", "d"))
    assert_equal [2, 4, false], [completion.completed, completion.size, completion.complete?]
    assert_equal [nil, nil, "c", "d"], completion.to_a
    assert_equal 2, completion.file(0, results("a", "b"))
    assert_equal %w[a b c d], completion.to_a
    assert_predicate completion, :complete?
  end

  def test_a_slot_keeps_its_first_value
    completion = Completion.new(3)
    assert_equal 1, completion.file(1, results(:first))
    assert_equal 2, completion.file(0, results(1, 2, 3))
    assert_equal [1, :first, 3], completion.to_a
    assert_equal 0, completion.file(0, results(7, 8, 9))
    assert_equal 0, completion.fill(:late)
    assert_equal [1, :first, 3], completion.to_a
  end

  def test_slots_without_a_result_are_left_out_and_counted
    dropped = Ratomic::Workers::DROPPED
    folded = Ratomic::Workers.const_get(:FOLDED)
    counters = Array.new(2) { Ratomic::Counter.new }
    completion = Completion.new(600)
    counts = -> { [completion.vacant, completion.dropped, *counters.map(&:value)] }
    assert_equal 300, completion.file(0, Ractor.make_shareable([dropped, 1, folded] * 100), *counters)
    assert_equal [200, 100, 300, 100], counts.call
    assert_equal 2, completion.file(299, results(2, dropped, 3), *counters)
    assert_equal [201, 101, 302, 101], counts.call
    completion.fill(:rest)
    assert_equal (([1] * 100) + [3] + ([:rest] * 298)), completion.kept
    assert_equal [*(1..298).step(3), *301..599], completion.indices
    assert_equal [dropped, 1, folded], completion.to_a.first(3)
    assert Ractor.shareable?(completion.kept) && Ractor.shareable?(completion.indices)
  end

  def test_without_any_all_is_kept
    completion = Completion.new(2)
    completion.file(0, results(nil, false))
    assert_equal [[nil, false], [0, 1]], [completion.kept, completion.indices]
    assert_equal [0, 0], [completion.vacant, completion.dropped]
  end

  def test_results_that_go_into_no_slot_are_not_counted
    filed = Ratomic::Counter.new
    completion = Completion.new(3)
    assert_equal 2, completion.file(0, results(1, 2), filed)
    assert_equal 0, completion.file(0, results(3, 4), filed)
    assert_equal 1, completion.stop
    assert_equal 0, completion.file(1, results(5, 6), filed)
    assert_equal 2, filed.value
  end

  def test_an_object_that_is_no_counter_is_refused_before_anything_is_filed
    completion = Completion.new(1)
    [7, nil, "text", Ratomic::Map.new].each do |counter|
      [[counter], [Ratomic::Counter.new, counter]].each do |counters|
        assert_raises(TypeError) { completion.file(0, results(Ratomic::Workers::DROPPED), *counters) }
      end
    end
    assert_equal 0, completion.completed
  end

  def test_fill_fills_what_is_empty
    completion = Completion.new(4)
    completion.file(1, results(:there))
    assert_equal 3, completion.fill("cancelled")
    assert_equal ["cancelled", :there, "cancelled", "cancelled"], completion.to_a
  end

  def test_nil_and_false_are_results
    completion = Completion.new(3)
    assert_equal [false, nil], [completion.filled?(0), completion[0]]
    completion.file(0, results(nil, false))
    assert_equal [true, true, false], [0, 1, 2].map { |place| completion.filled?(place) }
    assert_equal [nil, false, nil], [completion[0], completion[1], completion[2]]
    assert_equal 2, completion.completed
  end

  def test_the_log_tells_the_order_of_completion
    completion = Completion.new(6)
    completion.file(3, results(:d))
    completion.file(0, results(:a, :b))
    completion.file(1, results(:late, :c, :late, :e))
    completion.fill(:rest)
    ranges = Array.new(completion.filed) { |number| completion.range(number) }
    assert_equal [[3, 1], [0, 2], [2, 1], [4, 1], [5, 1]], ranges
    assert_nil completion.range(ranges.size)
    assert_equal (0...6).to_a, ranges.flat_map { |from, count| (from...(from + count)).to_a }.sort
  end

  def test_it_knows_what_would_complete_it
    completion = Completion.new(3)
    assert_equal [true, false], [completion.completed_by?(0, 3), completion.completed_by?(1, 2)]
    completion.file(0, results(1))
    assert_equal [true, false], [completion.completed_by?(1, 2), completion.completed_by?(0, 2)], "the first is full"
  end

  def test_an_interrupted_completion_is_stopped_and_stays_interrupted
    completion = Completion.new(1)
    completion.stop
    assert_equal [true, false], [completion.stopped?, completion.interrupted?]
    completion.interrupt
    completion.stop
    assert_equal [true, true], [completion.stopped?, completion.interrupted?]
  end

  def test_a_completion_without_slots_is_complete_at_once
    completion = Completion.new(0)
    assert_predicate completion, :complete?
    within(2) { assert_equal [true, true, []], [completion.wait, completion.wait_filed(1), completion.to_a] }
  end

  def test_to_a_is_frozen_and_shareable
    completion = Completion.new(1_000)
    completion.fill([+"mutable"])
    assert Ractor.shareable?(completion.to_a)
    assert_equal [["mutable"]] * 1_000, completion.to_a
  end

  def test_results_must_be_shareable_and_fit
    completion = Completion.new(2)
    assert_raises(Ratomic::ShareableError) { completion.file(0, [+"mutable"]) }
    assert_raises(Ratomic::ShareableError) { completion.fill($stdout) }
    assert_raises(RangeError) { completion.file(1, results(1, 2)) }
    assert_raises(RangeError) { completion.file(3, results(1)) }
    assert_raises(RangeError) { completion.file(-1, results(1)) }
    assert_raises(TypeError) { completion.file(0, 1) }
    assert_equal [0, 0, [nil, nil]], [completion.completed, completion.filed, completion.to_a]
    assert_raises(TypeError) { Completion.new("2") }
    assert_raises(ArgumentError) { Completion.new(-1) }
  end

  def test_wait_returns_false_when_the_time_is_up_and_true_when_all_is_there
    completion = Completion.new(2)
    within(5) do
      assert_equal [false] * 3, [completion.wait(0), completion.wait(0.01), completion.wait_filed(1, 0)]
    end
    waiter = Thread.new { completion.wait(60) }
    until_asleep(waiter)
    completion.file(0, results(1))
    refute waiter.join(0.02), "one of two is not all"
    completion.file(1, results(2))
    assert_equal true, within(5) { waiter.value }
    assert_raises(ArgumentError) { completion.wait(-1) }
    assert_raises(TypeError) { completion.wait("1") }
  end

  def test_wait_filed_wakes_at_the_range_it_waits_for
    completion = Completion.new(10)
    waiters = [1, 2, 3].map { |count| Thread.new { completion.wait_filed(count) } }
    waiters.each { |waiter| until_asleep(waiter) }
    [3, 5].each_with_index do |place, number|
      completion.file(place, results(place))
      assert_equal true, within(5) { waiters[number].value }
    end
    refute waiters.last.join(0.02)
    completion.fill(nil)
    assert_equal true, within(5) { waiters.last.value }
    assert_equal true, within(5) { completion.wait_filed(100) }, "complete: there will be no more"
  end

  def test_a_nudge_ends_no_wait
    completion = Completion.new(2)
    waiters = [-> { completion.wait }, -> { completion.wait_filed(1) }].map do |wait|
      Thread.new(&wait).tap { |thread| until_asleep(thread) }
    end
    timed = Thread.new { completion.wait(0.2) }
    within(5) { Thread.pass || completion.nudge while timed.alive? }
    refute timed.value, "its time is up"
    waiters.each { |thread| until_asleep(thread) }
    completion.file(0, results(1, 2))
    assert_equal([true, true], within(5) { waiters.map(&:value) })
    assert_nil completion.nudge
  end

  def test_a_wait_ends_on_kill_timeout_and_an_exception_and_the_latch_goes_on
    completion = Completion.new(1)
    killed = Thread.new { completion.wait }
    raised = Thread.new { completion.wait_filed(1) }
    raised.report_on_exception = false
    [killed, raised].each { |waiter| until_asleep(waiter) }
    killed.kill
    raised.raise(KeyError)
    within(5) { killed.join }
    within(5) { assert_raises(KeyError) { raised.value } }
    assert_raises(Timeout::Error) { within(5) { Timeout.timeout(0.02) { completion.wait } } }
    waiter = Thread.new { completion.wait }
    until_asleep(waiter)
    completion.fill(1)
    assert_equal true, within(5) { waiter.value }
  end

  def test_ractors_fill_and_any_thread_of_any_ractor_waits
    skip_without_ractors
    completion = Completion.new(400)
    waiters = Array.new(2) { Ractor.new(completion) { |latch| latch.wait && latch.to_a.sum } }
    threads = Array.new(2) { Thread.new { completion.wait } }
    fillers = Array.new(4) do |number|
      Ractor.new(completion, number) do |latch, part|
        100.times { |place| latch.file((place * 4) + part, [(place * 4) + part].freeze) }
      end
    end
    within(30) { fillers.each(&:value) }
    assert_equal [(0...400).sum] * 2, within(10) { waiters.map(&:value) }
    assert_equal [true, true], within(10) { threads.map(&:value) }
    assert_equal [400, (0...400).to_a], [completion.filed, completion.to_a]
  end

  def test_if_two_threads_file_the_same_slots_each_slot_is_filled_once
    skip_without_ractors
    completion = Completion.new(2_000)
    counts = Array.new(2) do |number|
      Ractor.new(completion, number) { |latch, mine| Array.new(2_000) { |place| latch.file(place, [mine].freeze) } }
    end
    filled = within(30) { counts.map { |ractor| ractor.value.sum } }
    assert_equal 2_000, filled.sum
    assert_equal filled, [completion.to_a.count(0), completion.to_a.count(1)]
  end

  def test_it_is_frozen_shareable_and_cannot_be_copied
    completion = Completion.new(1)
    assert_predicate completion, :frozen?
    assert Ractor.shareable?(completion)
    assert_raises(TypeError) { completion.dup }
    assert_raises(TypeError) { Completion.allocate.to_a }
    assert_raises(TypeError) { Marshal.dump(completion) }
  end

  private

  def results(*values)
    Ractor.make_shareable(values)
  end
end
