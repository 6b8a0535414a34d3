# frozen_string_literal: true

require "test_helper"
require "support/engine_room"

class UnpackingTest < Minitest::Test
  include EngineRoom

  Workers = Ratomic::Workers

  def setup
    @mailbox = Workers::Mailbox::QueueMailbox.new
    @engine = Workers::Engine.new(Workers::Settings.new(size: 2, backend: :thread), @mailbox)
    @batch = batch([1, 2, 3, 4], results: :owned)
  end

  def filed(first, *results, how: nil)
    share = Workers::Share.new(@batch)
    filed = share.keep(first, results)
    @batch.completion.file(first, filed)
    how ? share.home.arrive(how) : share.send_ahead
    share.home
  end

  def test_results_are_put_where_their_items_were
    failure = Workers::Failure.new(3, "KeyError", "x")
    homes = [filed(2, "c", failure), filed(0, "a", "b")]
    assert_equal ["a", "b", "c", failure], Workers::Unpacking.new(@engine, @batch).all(homes)
  end

  def test_a_slot_that_another_has_filled_keeps_what_it_has
    overdue = Workers::Failure.new(1, "Overdue", "x")
    @batch.completion.file(1, [overdue].freeze)
    @engine.metrics.abandoned.increment
    assert_equal ["a", overdue, "c", "d"], Workers::Unpacking.new(@engine, @batch).all([filed(0, "a", "b", "c", "d")])
  end

  def test_lost_results_are_failures
    homes = [filed(0, "a", "b"), filed(2, "c", "d", how: Workers::OwnedResults::LOST)]
    results = Workers::Unpacking.new(@engine, @batch).all(homes)
    assert_equal %w[a b], results.first(2)
    assert_equal [2, 3], results.last(2).map(&:index)
    assert_match(/is gone/, results[2].message)
  end

  def test_they_can_be_taken_one_by_one
    filed(2, "c", "d", how: Workers::OwnedResults::LOST)
    filed(0, "a", "b")
    unpacking = Workers::Unpacking.new(@engine, @batch)
    assert_equal "b", unpacking.take(1)
    assert_equal 3, unpacking.take(3).index
    assert_equal "a", unpacking.take(0)
    assert_equal 2, unpacking.take(2).index
  end
end
