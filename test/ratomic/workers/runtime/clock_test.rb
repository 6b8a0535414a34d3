# frozen_string_literal: true

require "test_helper"

class ClockTest < Minitest::Test
  Clock = Ratomic::Workers::Clock

  def test_a_limit_is_so_many_seconds_from_now
    before = Clock.now
    [2, 2.0, 2r, Complex(2, 0)].each { |timeout| assert_in_delta before + 2, Clock.limit(timeout), 1 }
    assert_nil Clock.limit(nil)
  end

  def test_the_time_left_is_never_negative
    assert_in_delta 2, Clock.left(Clock.limit(2)), 1
    assert_equal 0, Clock.left(Clock.now - 1)
    assert_nil Clock.left(nil)
  end

  def test_a_wrong_timeout_is_refused
    assert Clock.check(0)
    assert Clock.check(nil)
    %i[check limit].each do |method|
      assert_raises(TypeError) { Clock.public_send(method, "1") }
      assert_raises(ArgumentError) { Clock.public_send(method, -1) }
    end
  end
end
