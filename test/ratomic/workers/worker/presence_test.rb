# frozen_string_literal: true

require "test_helper"

class PresenceTest < Minitest::Test
  Workers = Ratomic::Workers

  def setup
    @lane = Workers::Lane.new(4, 1)
    @pulse = Workers::Pulse.new(1)
    @presence = Workers::Presence.new(@lane, @pulse)
  end

  # Workers that are about to look into the lane, more than at first.
  def looking
    @lane.instance_variable_get(:@looking).value
  end

  def test_who_begins_something_short_stays_and_who_begins_something_long_is_away
    @presence.leave(Workers::Lane::LONG - 1)
    assert_equal [0, nil], [looking, @pulse.long_since]
    [Workers::Lane::LONG, nil].each do |nanoseconds|
      @presence.leave(nanoseconds)
      assert_equal(-1, looking)
      assert_in_delta Process.clock_gettime(Process::CLOCK_MONOTONIC), @pulse.long_since / 1e9, 5
      2.times { @presence.return }
      assert_equal [0, nil], [looking, @pulse.long_since], "it comes back once"
    end
  end
end
