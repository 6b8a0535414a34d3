# frozen_string_literal: true

require "test_helper"

# Who waits for a key while a block computes its value, who is refused, and that nobody waits for ever.
class MapClaimsTest < Minitest::Test
  def setup
    @map = Ratomic::Map.new
    @map[:a] = 1
    @map[:b] = 2
  end

  def test_writing_the_same_key_from_the_same_thread_raises_thread_error_at_once_and_keeps_the_outer_block
    writes = [-> { @map[:a] = 9 }, -> { @map.delete(:a) }, -> { @map.increment(:a) }, -> { @map.increment(:a, 1.5) },
              -> { @map.compute(:a) { 9 } }, -> { @map.upsert(:a, 1) { 9 } }, -> { @map.fetch_and_modify(:a) { 9 } },
              -> { @map.compare_and_set(:a, 1, 9) }, -> { @map.append(:a, 9) }, -> { @map.add_to_set(:a, 9) },
              -> { @map.clear }, -> { @map.decrement(:a, 1r) }]
    writes.each do |write|
      result = within(5) do
        @map.compute(:a) do |value|
          error = assert_raises(ThreadError, &write)
          assert_match(/:a|Map/, error.message)
          value
        end
      end
      assert_equal 1, result
    end
    assert_equal({ a: 1, b: 2 }, @map.to_h)
  end

  def test_a_fiber_of_the_same_thread_counts_as_the_same_thread
    within(5) do
      @map.compute(:a) do |value|
        Fiber.new { assert_raises(ThreadError) { @map[:a] = 9 } }.resume
        value
      end
    end
  end

  def test_another_thread_that_writes_the_key_waits_for_the_block_and_sees_its_result
    gate = Thread::Queue.new
    owner = Thread.new { @map.compute(:a) { |value| value + gate.pop } }
    until_asleep(owner)
    writers = [-> { @map.increment(:a) }, -> { @map.compute(:a) { |value| value + 1 } },
               -> { @map.upsert(:a, 0) { |value| value + 1 } }].map { |write| Thread.new(&write) }
    writers.each { |writer| until_asleep(writer) }
    assert_equal 1, @map[:a], "readers do not wait"
    within(5) { @map[:b] = 3 }
    gate << 10
    within(5) { writers.each(&:join) }
    assert_equal [11, 14], [owner.value, @map[:a]]
  end

  def test_clear_waits_for_the_blocks_that_run
    gate = Thread::Queue.new
    owner = Thread.new { @map.compute(:a) { gate.pop } }
    until_asleep(owner)
    clearer = Thread.new { @map.clear }
    until_asleep(clearer)
    gate << 5
    within(5) { clearer.join }
    assert_equal 5, owner.value
    refute @map.key?(:a)
  end

  def test_a_writer_that_waits_can_be_killed_and_timed_out
    gate = Thread::Queue.new
    owner = Thread.new { @map.compute(:a) { gate.pop } }
    until_asleep(owner)
    [-> { @map[:a] = 2 }, -> { @map.compute(:a) { 3 } }, -> { @map.clear }].each do |write|
      writer = Thread.new(&write)
      until_asleep(writer)
      writer.kill
      within(5) { writer.join }
    end
    gate << 7
    assert_equal 7, within(5) { owner.value }
    assert_equal 7, @map[:a]
  end

  def test_two_threads_that_would_deadlock_get_one_thread_error
    20.times do
      threads = crossing([%i[a b], %i[b a]])
      errors = within(10) { threads.map(&:value) }.compact
      assert_equal ["ThreadError"], errors.uniq
      assert_equal 1, errors.size, "the other one goes on"
      assert_free(:a)
      assert_free(:b)
    end
  end

  def test_four_threads_that_would_deadlock_get_a_thread_error
    errors = within(10) { crossing([%i[a b], %i[b c], %i[c d], %i[d a]]).map(&:value) }.compact
    assert_equal ["ThreadError"], errors
    %i[a b c d].each { |key| assert_free(key) }
  end

  def test_a_deadlock_across_two_maps_is_a_thread_error
    other = Ratomic::Map.new
    ready = Thread::Queue.new
    go = Thread::Queue.new
    threads = [[@map, other], [other, @map]].map do |mine, theirs|
      Thread.new do
        mine.compute(:k) { (ready << 1) && go.pop && theirs.compute(:k) { 1 } }
        nil
      rescue ThreadError => e
        e.class.name
      end
    end
    2.times { ready.pop }
    2.times { go << 1 }
    assert_equal ["ThreadError"], within(10) { threads.map(&:value) }.compact
  end

  def test_two_ractors_that_would_deadlock_get_one_thread_error
    skip_without_ractors
    meeting = Ratomic::Counter.new
    ractors = [%i[a b], %i[b a]].map do |mine, theirs|
      Ractor.new(@map, meeting, mine, theirs) do |map, counter, own, other|
        map.compute(own) do |value|
          counter.increment
          Thread.pass until counter.read == 2
          map.compute(other) { |there| there + 10 }
          value
        end
        nil
      rescue ThreadError => e
        e.class.name
      end
    end
    assert_equal ["ThreadError"], within(20) { ractors.map(&:value) }.compact
    assert_free(:a)
    assert_free(:b)
  end

  private

  # Nobody has a claim on the key.
  def assert_free(key)
    within(5) { Thread.new { @map[key] = 1 }.join }
  end

  # Threads that each hold their first key and then, all together, write their second.
  def crossing(pairs)
    ready = Thread::Queue.new
    go = Thread::Queue.new
    threads = pairs.map do |mine, theirs|
      Thread.new do
        @map.compute(mine) { (ready << 1) && go.pop && (@map[theirs] = 5) }
        nil
      rescue ThreadError => e
        e.class.name
      end
    end
    pairs.each { ready.pop }
    pairs.each { go << 1 }
    threads
  end
end
