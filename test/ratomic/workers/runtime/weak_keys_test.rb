# frozen_string_literal: true

require "test_helper"

class WeakKeysTest < Minitest::Test
  def setup
    @keys = Ratomic::Workers::WeakKeys.new
  end

  def test_it_keeps_what_belongs_to_a_living_key
    key = Object.new
    @keys[key] = [1]
    GC.start
    @keys.tidy
    assert_equal [1], @keys[key]
    assert_nil @keys[Object.new]
  end

  # On another stack, so that nothing is left of the keys on this one.
  def fill
    Thread.new { 100.times { |number| @keys[Object.new] = [number] } }.join
  end

  def test_it_lets_go_of_what_belonged_to_a_collected_one
    fill
    kept = @keys.instance_variable_get(:@kept)
    eventually { GC.start || @keys.tidy || kept.size < 10 }
  end
end
