# frozen_string_literal: true

require "test_helper"

class PresenceTest < Minitest::Test
  Workers = Ratomic::Workers

  def setup
    @lane = Workers::Lane.new(4, 1)
    @presence = Workers::Presence.new(@lane)
  end

  # Workers that are about to look into the lane, more than at first.
  def looking
    @lane.instance_variable_get(:@looking).value
  end

  def test_who_begins_something_short_stays_and_who_begins_something_long_is_away
    @presence.leave(Workers::Lane::LONG - 1)
    assert_equal 0, looking
    [Workers::Lane::LONG, nil].each do |nanoseconds|
      @presence.leave(nanoseconds)
      assert_equal(-1, looking)
      2.times { @presence.return }
      assert_equal 0, looking, "it comes back once"
    end
  end
end
