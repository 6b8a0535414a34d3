# frozen_string_literal: true

require "test_helper"

class CallerContentionTest < Minitest::Test
  CallerContention = Ratomic::Workers.const_get(:CallerContention)
  WINDOW_NS = CallerContention::WINDOW_NS

  def setup
    @contention = CallerContention.new
  end

  def elsewhere(now)
    Thread.new { @contention.note(now) }.value
  end

  def test_one_thread_meets_nobody
    refute @contention.note(1)
    refute @contention.note(2)
  end

  def test_each_of_two_threads_meets_the_other_for_a_moment
    refute @contention.note(1)
    assert elsewhere(2)
    assert @contention.note(3)
    assert @contention.note(1 + WINDOW_NS)
    refute @contention.note(2 + WINDOW_NS)
  end

  def test_what_another_thread_has_done_long_ago_does_not_count
    refute @contention.note(1)
    refute elsewhere(1 + WINDOW_NS)
    assert @contention.note(2 + WINDOW_NS)
  end

  def test_it_is_shared_by_ractors
    assert_predicate @contention, :frozen?
    assert Ractor.shareable?(@contention)
    skip_without_ractors
    refute @contention.note(1)
    assert Ractor.new(@contention) { |contention| contention.note(2) }.value
  end
end
