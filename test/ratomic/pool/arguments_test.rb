# frozen_string_literal: true

require "test_helper"

class PoolArgumentsTest < Minitest::Test
  Arguments = Ratomic::Pool::Arguments

  def test_a_size_is_an_integer_from_one_to_the_most
    assert_equal 1, Arguments.size(1)
    assert_equal 2**20, Arguments.size(2**20)
    [0, -1, (2**20) + 1].each { |size| assert_raises(ArgumentError) { Arguments.size(size) } }
    [nil, 1.0, "1"].each { |size| assert_raises(TypeError) { Arguments.size(size) } }
  end

  def test_a_timeout_is_nil_or_a_number_of_seconds
    assert_nil Arguments.timeout(nil)
    [0, 0.5, 3r].each { |timeout| assert_equal timeout, Arguments.timeout(timeout) }
    assert_raises(ArgumentError) { Arguments.timeout(-0.1) }
    assert_raises(ArgumentError) { Arguments.timeout(Float::NAN) }
    ["1", Complex(1, 1)].each { |timeout| assert_raises(TypeError) { Arguments.timeout(timeout) } }
  end
end
