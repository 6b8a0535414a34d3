# frozen_string_literal: true

require "test_helper"
require "support/interruption"

class InitialTest < Minitest::Test
  include Interruption

  def initial(given)
    Ratomic::Workers.const_get(:Initial).new(given, ->(block, _what) { block })
  end

  def test_a_frozen_initial_value_is_used_as_it_is
    [1, "text", [1].freeze, nil].each { |given| assert_same given, initial(given).fresh }
  end

  def test_a_mutable_initial_value_is_copied_each_time
    counts = initial(Hash.new(7))
    first = counts.fresh
    first[:a] += 1
    assert_equal [{ a: 8 }, {}, 7], [first, counts.fresh, counts.fresh[:b]]
    assert_equal [+"", []], [initial(+"").fresh << "", initial([]).fresh]
    refute_predicate initial(+"").fresh, :frozen?
  end

  def test_the_callers_initial_value_is_not_changed
    given = [1, [2]]
    initial(given).fresh << 3
    assert_equal [[1, [2]], false, false], [given, given.frozen?, given[1].frozen?]
  end

  def test_a_callable_makes_it
    made = initial(-> { Hash.new { |hash, key| hash[key] = [] } })
    assert_equal [], made.fresh[:any]
    refute_same made.fresh, made.fresh
  end

  # The operation has no other error, and what {Interruption} raises is passed on.
  def test_an_error_from_another_thread_is_not_taken_for_the_reason_of_a_refusal
    assert_operator interrupt_everywhere(:raise, -> { initial([+"text"]) }) { nil }, :>, 3
  end

  def test_an_initial_value_that_can_be_neither_shared_nor_copied_is_refused_with_advice
    error = assert_raises(Ratomic::ShareableError) { initial({ out: $stdout }) }
    assert_match(/initial: \(an instance of Hash\) .*pass a callable/, error.message)
  end
end
