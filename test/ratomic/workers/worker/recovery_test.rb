# frozen_string_literal: true

require "test_helper"
require "delegate"
require "support/mailboxes"
require "support/shown_errors"
require "support/worker_callables"

class RecoveryTest < Minitest::Test
  include Mailboxes
  include WorkerCallables
  include ShownErrors

  Workers = Ratomic::Workers
  ITEMS = [1, 2, :end_thread, 4, 5, 6].freeze

  # The mailbox of a coordinator that is gone.
  module Gone
    def self.send(*, **)
      raise ClosedQueueError, "nobody is here"
    end
  end

  NobodyThere = Class.new(StandardError)

  # Another one.
  module Unreachable
    def self.send(*, **)
      raise NobodyThere, "nobody is here"
    end
  end

  # As a worker's main thread that an item has killed.
  module Doomed
    def self.pending_interrupt?
      true
    end
  end

  # An engine without workers: what comes back is not run.
  def setup
    @mailbox = open_mailbox
    @engine = engine(@mailbox)
  end

  def engine(mailbox)
    Workers::Engine.new(Workers::Settings.new(size: 2, backend: :thread), mailbox)
  end

  # A chunk of the first five items, the third of which has ended its thread.
  def ended_chunk(**options)
    items = options[:move] ? nil : ITEMS
    @batch = Workers::Batch.new(items, 6, 6, Misbehave, Workers::Options.new(options), 384)
    @engine.accept(@batch)
    chunk_of(@batch)
  end

  def chunk_of(batch)
    chunk = Workers::Chunk.new(batch, Misbehave, batch.claim(5), [batch.limit, 5].min, 1)
    chunk.unpack(ITEMS) if batch.moved?
    Thread.new { chunk.run(Workers::SupervisedRun::Guard) }.join
    chunk
  end

  def recovery(chunk, what = :thread)
    Workers::Recovery.new(@engine, chunk).run(what)
  end

  # Where a part begins and ends, how often its first item has run, and whether its items run one by one.
  def shapes(parts)
    parts.map do |part|
      first = part.limit - part.unclaimed
      [first, part.limit, part.attempt(first), part.alone?]
    end
  end

  # Of those five.
  def results
    @batch.completion.to_a.first(5)
  end

  # The same, with the name of the class for a Failure.
  def classes
    results.map { |result| result.is_a?(Workers::Failure) ? result.exception_class : result }
  end

  def retries
    @engine.metrics.retries.value
  end

  def test_results_are_filed_and_what_has_not_run_comes_back
    parts = recovery(ended_chunk)
    assert_equal [[3, 5, 0, false]], shapes(parts)
    assert_equal [1, 2, Workers::PoolFailures.died(@batch.target, 2, :thread), nil, nil], results
    assert_equal [@batch.ticket, 3], [parts[0].ticket, @engine.finished.value]
    recovery(ended_chunk, :throw)
    assert_equal "UncaughtThrowError", classes[2]
    assert_equal 0, @engine.metrics.troubles.value
  end

  # Notes whether callers may still run the callable when results are filed.
  class Watched < SimpleDelegator
    attr_reader :unsafe

    def file(batch, ...)
      (@unsafe ||= []) << costs.caller_unsafe?(batch.key)
      super
    end
  end

  # Whoever gets the results may dispatch again at once.
  def test_before_any_result_is_filed_the_callable_is_not_for_callers_any_more
    watched = Watched.new(@engine)
    Workers::Recovery.new(watched, ended_chunk).run(:thread)
    assert_equal [true, true], watched.unsafe
  end

  def test_a_chunk_whose_last_item_has_ended_the_thread_leaves_no_parts
    part = ended_chunk && @batch.part(1, 3)
    assert_empty recovery(chunk_of(part))
    assert_equal [nil, 2, "ThreadError", nil, nil], classes
  end

  def test_an_item_that_has_ended_its_worker_is_run_again_too
    ended_chunk(retries: 1)
    again, rest = parts = recovery(fatal_chunk(@batch.part(0, 5)))
    assert_equal [[0, 1, 1, true], [1, 5, 0, false]], shapes(parts)
    assert_equal [[], [nil] * 5, 1], [shapes(recovery(fatal_chunk(again))), [nil, *results.drop(1)], retries]
    assert_equal [Workers::PoolFailures.died(@batch.target, 0, :worker), 4], [results[0], rest.unclaimed]
  end

  # A chunk whose first item has a result, and has ended the worker.
  def fatal_chunk(part)
    chunk = Workers::Chunk.new(part, Misbehave, part.claim(part.limit), part.limit, 1)
    refute chunk.run(Doomed)
    chunk.blame_last
    chunk
  end

  def test_nil_and_false_are_results_too
    @batch = Workers::Batch.new([nil, false, :end_thread].freeze, 3, 3, Misbehave, Workers::Options.new, 192)
    @engine.accept(@batch)
    assert_empty recovery(chunk_of(@batch))
    assert_equal [nil, false, "ThreadError"], [*@batch.completion.to_a.first(2), @batch.completion[2].exception_class]
    assert_predicate @batch.completion, :complete?
  end

  # All of a chunk have run, and the second of the results does that when it is frozen.
  def frozen_badly(way)
    @batch = Workers::Batch.new([1, [way].freeze, 3].freeze, 3, 3, Make, Workers::Options.new({}), 192)
    @engine.accept(@batch)
    @chunk = Workers::Chunk.new(@batch, Make, 0, 3, 1)
    assert @chunk.run(Workers::SupervisedRun::Guard)
    Workers::Recovery.new(@engine, @chunk)
  end

  def test_a_result_that_ends_the_thread_which_freezes_it_does_not_affect_the_others
    assert_empty within(5) { frozen_badly(:end_thread).run(:thread) }
    assert_equal [1, Workers::PoolFailures.died(@batch.target, 1, :thread), 3], @batch.completion.to_a
    assert_equal [3, { "ThreadError" => 1 }], [@engine.finished.value, @engine.metrics.failures.to_h]
  end

  def test_results_before_one_that_takes_too_long_to_freeze_are_filed
    recovery = frozen_badly(:sleep)
    assert_leaves_nothing { within(5) { recovery.file(@chunk.results.dup, 0.05) } }
    assert_equal [1, nil, nil], @batch.completion.to_a
  end

  def test_results_of_a_dispatch_that_is_over_are_not_frozen
    recovery = frozen_badly(:sleep)
    @engine.stop(@batch, Workers::PoolFailures::KILLED)
    assert_empty within(5) { recovery.run(:thread) }
  end

  def test_with_retries_the_item_runs_again_alone_so_often_and_no_more
    again, rest = parts = recovery(ended_chunk(retries: 2))
    assert_equal [[2, 3, 1, true], [3, 5, 0, false]], shapes(parts)
    again, = parts = recovery(chunk_of(again))
    assert_equal [[2, 3, 2, true]], shapes(parts)
    assert_equal [[1, 2, nil, nil, nil], 2], [results, retries]
    assert_empty recovery(chunk_of(again))
    assert_equal [[1, 2, "ThreadError", nil, nil], 2, 2], [classes, rest.unclaimed, retries]
  end

  def test_a_sequential_dispatch_goes_on_at_the_item_that_runs_again
    parts = recovery(ended_chunk(sequential: true, retries: 1))
    assert_equal [[2, 5, 1, false]], shapes(parts)
    assert_equal [[3, 5, 0, false]], shapes(recovery(chunk_of(parts[0])))
    assert_equal [1, 2, "ThreadError", nil, nil], classes
  end

  def test_an_item_that_was_handed_over_is_gone_and_those_behind_it_go_back_to_the_coordinator
    parts = recovery(ended_chunk(move: true, retries: 3))
    assert_equal [[0, 1, 0, false]], shapes(parts)
    assert_predicate parts[0], :moved?
    assert_equal [:parcel, @batch.ticket, 3, [4, 5]], within(5) { @mailbox.receive }
    assert_equal [[1, 2, "ThreadError", nil, nil], 0], [classes, retries]
  end

  def test_items_that_go_back_when_the_dispatch_is_over_are_dropped
    chunk = ended_chunk(move: true)
    batch = @batch
    engine = @engine
    chunk.define_singleton_method(:rest) do |from|
      engine.stop(batch, Workers::PoolFailures::KILLED)
      super(from)
    end
    recovery(chunk)
    messages = Array.new(3) { within(5) { @mailbox.receive } }
    assert_equal %i[drop parcel drop], messages.map(&:first)
    assert_equal [@batch.ticket] * 3, messages.map { |message| message[1] }
  end

  # No Ruby moves an exception that was raised.
  def test_items_that_a_run_has_made_immovable_go_back_as_copies
    skip_without_ractors
    ruby!(<<~RUBY)
      require "ratomic"
      Box = Struct.new(:number, :error)
      module Run
        def self.call(box) = box.number * 2

        def self.call_many(boxes)
          raise "no run"
        rescue RuntimeError => e
          boxes.each { |box| box.error = e }
          Thread.exit
        end
      end
      pool = Ratomic::Workers::Pool.new(size: 1, min_batch: 0)
      results = pool.dispatch_async([Box.new(1), Box.new(2)], Run, move: true).value(timeout: 20)
      raise results.inspect unless results == [2, 4]
    RUBY
  end

  # What looks at the items calls their keys' `inspect`.
  { "ends_the_thread" => "Thread.exit", "never_returns" => "Ratomic::Queue.new(1).pop" }.each do |name, code|
    define_method("test_a_run_whose_items_cannot_be_looked_at_is_answered_inspect_#{name}") do
      skip_without_ractors
      ruby!(<<~RUBY)
        require "ratomic"
        Ratomic::Workers::Recovery.send(:remove_const, :NAMING_TIMEOUT_S)
        Ratomic::Workers::Recovery::NAMING_TIMEOUT_S = 0.2
        Box = Struct.new(:number, :error, :table)
        class Key
          def inspect = #{code}
        end
        module Run
          def self.call(box) = box.number * 2

          def self.call_many(boxes)
            raise "no run"
          rescue RuntimeError => e
            boxes.each { |box| box.table = { Key.new => (box.error = e) } }
            Thread.exit
          end
        end
        pool = Ratomic::Workers::Pool.new(size: 1, min_batch: 0)
        results = pool.dispatch_async([Box.new(1), Box.new(2)], Run, move: true).value(timeout: 20)
        wrong = results.reject { |result| Integer === result || result.exception_class == "Ratomic::ShareableError" }
        raise wrong.inspect unless wrong.empty? && results.size == 2
        raise "no worker" unless pool.dispatch_async(["1"], Ratomic::Workers::ParseJSON).value(timeout: 20) == [1]
      RUBY
    end
  end

  def test_an_item_that_has_a_result_keeps_it
    chunk = ended_chunk(item_timeout: 5, retries: 1)
    @engine.time_out(@batch, 2)
    assert_equal [[3, 5, 0, false]], shapes(recovery(chunk))
    assert_equal [[1, 2, Workers::ItemTimeoutError.name, nil, nil], 0], [classes, retries]
  end

  def test_a_dispatch_that_is_over_leaves_no_parts
    chunk = ended_chunk(retries: 1)
    @engine.stop(@batch, Workers::PoolFailures::KILLED)
    assert_empty recovery(chunk)
    assert_equal [Workers::PoolFailures::KILLED] * 5, results
    assert_equal [6, 0], [@engine.finished.value, retries]
  end

  def test_the_caller_never_runs_that_callable
    chunk = ended_chunk
    refute @engine.costs.caller_unsafe?(Misbehave)
    recovery(chunk)
    assert @engine.costs.caller_unsafe?(Misbehave)
  end

  def test_results_that_cannot_be_saved_are_not_waited_for
    @engine = engine(Gone)
    assert_empty recovery(ended_chunk(move: true))
    assert_equal [1, 2, "ThreadError", "ClosedQueueError", "ClosedQueueError"], classes
    assert_equal [2, 3, 4], results.last(3).map(&:index)
    assert_equal [5, 1], [@engine.finished.value, @engine.metrics.troubles.value]
    assert_equal({ "ThreadError" => 1, "ClosedQueueError" => 2 }, @engine.metrics.failures.to_h)
    assert_equal [false, 0], [@batch.completion.complete?, @engine.metrics.latency.values.sum]
  end

  def test_why_it_cannot_be_saved_is_shown_once
    @engine = engine(Unreachable)
    assert_shown(NobodyThere, /the recovery of a chunk of the pool #{@engine.name}/) do
      2.times { recovery(ended_chunk(move: true)) }
    end
  end
end
