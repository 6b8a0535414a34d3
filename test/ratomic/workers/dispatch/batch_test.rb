# frozen_string_literal: true

require "test_helper"

class BatchTest < Minitest::Test
  Workers = Ratomic::Workers

  def batch(count, **options)
    Workers::Batch.new((0...count).to_a.freeze, count, count, Comparable, Workers::Options.new(options), count * 64)
  end

  def test_it_is_shareable
    assert Ractor.shareable?(batch(3))
  end

  def test_claims_never_overlap
    all = batch(1000)
    threads = Array.new(8) do
      Thread.new do
        mine = []
        while (first = all.claim(7))
          mine << first
        end
        mine
      end
    end
    taken = threads.flat_map(&:value)
    assert_equal (0...1000).step(7).to_a, taken.sort
    assert_equal 0, all.unclaimed
  end

  def test_a_stopped_batch_cannot_be_claimed_and_all_its_slots_are_filled
    batch = batch(10)
    assert_equal 0, batch.claim(4)
    batch.completion.file(0, [1, 2].freeze)
    failure = Workers::PoolFailures.cancelled(batch)
    assert_equal 8, batch.stop(failure)
    assert_nil batch.claim(1)
    assert_predicate batch, :stopped?
    refute batch.finish
    assert_predicate batch.completion, :complete?
    assert_equal 0, batch.stop(failure)
  end

  def test_a_batch_that_is_done_cannot_be_stopped
    batch = batch(2)
    batch.completion.file(0, [1, 2].freeze)
    assert_equal 0, batch.stop(Workers::PoolFailures::KILLED)
    refute_predicate batch, :stopped?
  end

  def test_only_one_of_many_finishes_it
    batch = batch(1)
    batch.claim(1)
    finishers = Array.new(8) { Thread.new { batch.finish } }.map(&:value)
    assert_equal 1, finishers.count(true)
    refute_predicate batch, :stopped?
  end

  def test_a_part_has_its_own_cursor_and_the_same_completion
    batch = batch(100)
    batch.claim(100)
    part = batch.isolated_part(20, 30, 1)
    assert_predicate part, :alone?
    assert_equal [1, 0], [part.attempt(20), part.attempt(21)], "it is known of the first item"
    assert_equal [10, batch.ticket], [part.unclaimed, part.ticket]
    assert_equal 20, part.claim(10)
    assert_nil part.claim(1)
    assert_same batch.completion, part.completion
    assert_equal 0, batch.attempt(0)
    part.stop(Workers::PoolFailures::KILLED)
    assert_predicate batch, :stopped?
  end

  def test_the_first_wait_of_a_trial_is_timed
    trial = Workers::Batch::Trial.new([1].freeze, 1, 1, Comparable, Workers::Options.new, 64)
    assert Ractor.shareable?(trial)
    assert_equal [true, false, false], Array.new(3) { trial.timed? }
    refute_predicate batch(1), :timed?
  end
end
