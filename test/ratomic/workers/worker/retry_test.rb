# frozen_string_literal: true

require "test_helper"
require "support/mailboxes"
require "support/worker_callables"

# How its answers are used is in the test of Recovery.
class RetryTest < Minitest::Test
  include Mailboxes
  include WorkerCallables

  Workers = Ratomic::Workers

  # An engine without workers: what comes back is not run.
  def setup
    @engine = Workers::Engine.new(Workers::Settings.new(size: 2, backend: :thread), open_mailbox)
  end

  def batch(items = [1, 2, 3].freeze, **options)
    Workers::Batch.new(items, 3, 3, Misbehave, Workers::Options.new(options), 192).tap { |made| @engine.accept(made) }
  end

  def again(batch, index = 1)
    Workers::Retry.of(@engine, batch, index, :thread)
  end

  def test_an_item_runs_again_alone_as_often_as_retries_allows
    first = again(whole = batch(retries: 2))
    second = again(first)
    assert_equal [1, 2], [first, second].map { |part| part.attempt(1) }
    assert_equal [[1, 2, true]] * 2, [first, second].map { |part| [part.unclaimed, part.limit, part.alone?] }
    assert_nil again(second)
    assert_equal [nil, Workers::PoolFailures.died(whole.target, 1, :thread), nil], whole.completion.to_a
    assert_equal 2, @engine.metrics.retries.value
  end

  def test_without_retries_it_becomes_a_failure
    assert_nil again(whole = batch)
    assert_equal "ThreadError", whole.completion[1].exception_class
    assert_equal 0, @engine.metrics.retries.value
  end

  def test_a_moved_item_never_runs_again
    assert_nil again(whole = batch(nil, move: true, retries: 3))
    assert_equal "ThreadError", whole.completion[1].exception_class
  end

  def test_an_item_with_a_result_keeps_it
    @engine.time_out(whole = batch(retries: 1, item_timeout: 5), 1)
    assert_nil again(whole)
    assert_equal [Workers::ItemTimeoutError.name, 0],
                 [whole.completion[1].exception_class, @engine.metrics.retries.value]
  end
end
