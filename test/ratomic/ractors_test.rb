# frozen_string_literal: true

require "test_helper"

# The primitives used, misused and left behind inside of Ractors other than the first.
class AcrossRactorsTest < Minitest::Test
  def setup
    skip_without_ractors
    @map = Ratomic::Map.new
    @queue = Ratomic::Queue.new(4)
  end

  def test_errors_are_raised_there_as_here
    seen = in_ractor(@map, @queue) do |map, queue|
      tries = [-> { map[:a] = Thread.current }, -> { queue << [$stdout] }, -> { map.fetch(:missing) },
               -> { map.compute(:a) }, -> { map.compute(:a) { map[:a] = 1 } }, -> { map.increment(:a, "1") },
               -> { Ratomic::Counter.new(2**63) }, -> { Ratomic::Queue.new(0) }, -> { queue.close && queue.push(1) }]
      tries.map do |attempt|
        attempt.call
      rescue StandardError => e
        e.class.name
      end
    end
    assert_equal %w[Ratomic::ShareableError Ratomic::ShareableError KeyError LocalJumpError ThreadError TypeError
                    RangeError ArgumentError ClosedQueueError], seen
  end

  def test_objects_made_in_a_ractor_outlive_it
    map, queue, counter = Ractor.new do
      made = [Ratomic::Map.new, Ratomic::Queue.new(2), Ratomic::Counter.new(5)]
      made[0]["key"] = ["value"]
      made[1] << "item"
      made.freeze
    end.value
    GC.start
    assert_equal [["value"], "item", 6], [map["key"], queue.pop, counter.increment]
  end

  def test_a_ractor_that_ends_while_its_threads_wait_leaves_no_waiter_and_no_claim
    owner = Ractor.new(@queue, @map) do |queue, map|
      waiters = Array.new(3) { Thread.new { queue.pop } } << Thread.new { map.compute(:held) { queue.pop } }
      Thread.pass until waiters.all? { |waiter| waiter.status == "sleep" } && queue.num_waiting == 4
      :ended
    end
    assert_equal :ended, within(10) { owner.value }
    eventually { @queue.num_waiting.zero? }
    within(5) { @map[:held] = 1 }
    @queue << :item
    assert_equal :item, @queue.try_pop, "no dead waiter was chosen"
  end

  def test_a_ractor_that_dies_inside_a_block_frees_its_key
    ended = Ractor.new(@map) do |map|
      Thread.current.report_on_exception = false
      map.compute(:held) { raise "the end" }
    end
    assert_raises(Ractor::RemoteError) { within(10) { ended.value } }
    within(5) { @map[:held] = 1 }
    assert_equal 1, @map[:held]
  end

  def test_a_block_waits_for_a_block_of_another_ractor_and_sees_its_result
    gate = Ratomic::Queue.new(1)
    owner = Ractor.new(@map, gate) { |map, go| map.compute(:key) { [go.pop] } }
    eventually { gate.num_waiting == 1 }
    waiter = Thread.new { @map.compute(:key) { |value| value + ["here"] } }
    until_asleep(waiter)
    gate << "there"
    assert_equal %w[there here], within(10) { waiter.value }
    assert_equal ["there"], owner.value
  end

  def test_a_callers_own_key_object_may_come_from_any_ractor
    @map[+"text"] = 1
    @map[[1, +"a"]] = 2
    @map[:"dynamic #{object_id}"] = 3
    seen = in_ractor(@map, object_id) { |map, id| [map[+"text"], map[[1, +"a"]], map[:"dynamic #{id}"]] }
    assert_equal [1, 2, 3], seen
  end
end
