# frozen_string_literal: true

require "test_helper"

class TakeOnceTest < Minitest::Test
  Workers = Ratomic::Workers

  def setup
    @right = Workers::TakeOnce.new
  end

  def test_one_of_many_threads_gets_the_results
    refute_predicate @right, :taken?
    got = Array.new(8) { Thread.new { @right.claim || true rescue false } }.map(&:value) # rubocop:disable Style/RescueModifier
    assert_equal 1, got.count(true)
    assert_predicate @right, :taken?
    assert_raises(Workers::TakenError) { @right.check }
    assert Ractor.shareable?(@right)
  end

  def test_it_is_not_taken_where_the_results_are_elsewhere
    skip_without_ractors
    home = Workers::OwnedResults.new(Workers::OwnedResults::HERE)
    error = in_ractor(@right, home) do |right, there|
      right.claim([there])
    rescue Ratomic::Workers::TakenError => e
      [right.here?, e.message]
    end
    refute error[0]
    assert_match(/take them there/, error[1])
    assert_predicate @right, :here?
    @right.claim([home])
  end
end
