# frozen_string_literal: true

require "test_helper"

class LastFailuresTest < Minitest::Test
  LastFailures = Ratomic::Workers::LastFailures

  def setup
    @last = LastFailures.new
  end

  def keep(name, *numbers)
    numbers.each { |number| @last.keep(name, number, { time: number }.freeze) }
  end

  def test_it_keeps_the_last_of_each_class
    keep("KeyError", *1..10)
    keep("IOError", 1)
    assert_equal({ "KeyError" => [10, 9, 8, 7], "IOError" => [1] },
                 @last.to_h.transform_values { |notes| notes.map { |note| note[:time] } })
  end

  def test_the_number_of_classes_is_limited
    100.times { |number| keep("Error#{number}", 1, 2, 3, 4) }
    keep("Error0", 5)
    assert_equal LastFailures::MAX_CLASSES, @last.to_h.size
    assert_equal 5, @last.to_h["Error0"][0][:time]
  end

  def test_it_is_shareable
    assert Ractor.shareable?(@last)
  end
end
