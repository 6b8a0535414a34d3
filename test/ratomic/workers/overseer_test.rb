# frozen_string_literal: true

require "test_helper"
require "support/worker_callables"

class OverseerTest < Minitest::Test
  include WorkerCallables

  def setup
    @pool = Ratomic::Workers::Pool.new(size: 2, min_batch: 0).start
    @engine = @pool.instance_variable_get(:@cell)[:engine]
  end

  def teardown
    @pool.kill
  end

  # A batch of which a worker claimed the items from...to, and was never seen again.
  def batch_with_a_lost_claim(items, callable, claimed)
    options = Ratomic::Workers::Options.new
    Ratomic::Workers::Batch.new(items.freeze, items.size, items.size, callable, options, items.size * 64).tap do |batch|
      @engine.accept(batch)
      assert_equal 0, batch.claim(claimed)
    end
  end

  def test_what_a_worker_took_with_it_runs_again
    batch = batch_with_a_lost_claim((0...100).to_a, Double, 30)
    @engine.lane.try_push(batch)
    @engine.post([:audit, batch].freeze)
    assert batch.completion.wait(5)
    assert_equal (0...100).map { |i| i * 2 }, batch.completion.to_a
    assert_equal 0, @pool.stats[:items][:in_flight]
  end

  def test_what_lost_its_only_token_gets_another
    batch = batch_with_a_lost_claim((0...100).to_a, Double, 30)
    @engine.post([:audit, batch].freeze)
    assert batch.completion.wait(5)
    assert_equal (0...100).map { |i| i * 2 }, batch.completion.to_a
  end

  def test_the_item_that_ended_the_worker_is_found_among_them
    items = Array.new(20) { |i| i == 7 ? :end_worker : i }
    batch = batch_with_a_lost_claim(items, Misbehave, 20)
    @engine.post([:audit, batch].freeze)
    assert batch.completion.wait(10)
    results = batch.completion.to_a
    assert_equal ["ThreadError", 7], [results[7].exception_class, results[7].index]
    assert_equal items - [:end_worker], results - [results[7]]
  end
end
