# frozen_string_literal: true

require "test_helper"

class MovingAveragesTest < Minitest::Test
  MovingAverages = Ratomic::Workers::MovingAverages

  def setup
    @averages = MovingAverages.new
  end

  def test_the_first_sample_is_the_average
    assert_nil @averages[:key]
    assert_in_delta 100.0, @averages.learn(:key, 100.0)
    assert_in_delta 100.0, @averages[:key]
  end

  def test_a_new_sample_has_its_share
    @averages.learn(:key, 100.0)
    assert_in_delta 100.0 + (100.0 * MovingAverages::SAMPLE_WEIGHT), @averages.learn(:key, 200.0)
    60.times { @averages.learn(:key, 500.0) }
    assert_in_delta 500.0, @averages[:key], 0.01
  end

  def test_each_key_has_its_own
    @averages.learn(:key, 1.0)
    @averages.learn(:other, 2.0)
    assert_equal({ key: 1.0, other: 2.0 }, @averages.to_h)
    assert Ractor.shareable?(@averages)
  end
end
