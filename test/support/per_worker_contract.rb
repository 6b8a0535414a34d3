# frozen_string_literal: true

require "support/process_ledger"
require "support/worker_callables"

# The contract, for all backends, of callables with a state (`per_worker`) and of `around:`. To be included together
# with BackendContract.
module PerWorkerContract
  include WorkerCallables

  # What all of them note, in whatever process they are.
  LEDGER = Ractor.make_shareable(ProcessLedger.new(Dir.mktmpdir("ratomic-per-worker")))
  Minitest.after_run { LEDGER.remove }

  # An object with a state, that tells its number and how often it was called.
  class Tool
    # @return [Integer] objects
    def self.made
      LEDGER.count(:made)
    end

    def initialize
      @number = "#{Process.pid}: #{object_id}"
      LEDGER.note(:made)
      @calls = 0
      @busy = false
    end

    def use(item)
      raise ThreadError, "used by two threads at a time" if @busy

      @busy = true
      Thread.pass
      Thread.exit if item == :end_thread
      raise KeyError, "no such key" if item == :fail

      [@number, @calls += 1, item]
    ensure
      @busy = false
    end
  end

  # Makes them.
  module MakeTool
    def self.call
      Tool.new
    end
  end

  # Fails the first two times.
  class Flaky
    def initialize(name)
      @name = name.freeze
      freeze
    end

    def call
      raise IOError, "no connection" if LEDGER.note(@name) <= 2

      Tool.new
    end
  end

  # Makes what has not the method.
  module MakeNothing
    def self.call
      nil
    end
  end

  # Runs an item in here, and notes it.
  module Note
    # @return [Integer] items that it was called with
    def self.begun
      LEDGER.count(:begun)
    end

    # @return [Integer] items that it was left of
    def self.ended
      LEDGER.count(:ended)
    end

    def self.call(item)
      LEDGER.note(:begun)
      return :not_run if item == :skip

      yield
      :not_the_result
    ensure
      LEDGER.note(:ended)
    end
  end

  def tool
    Ratomic::Workers.per_worker(MakeTool, call: :use)
  end

  def test_each_worker_has_an_object_of_its_own_for_all_its_items
    before = Tool.made
    callable = tool
    results = Array.new(10) { value_of((0...40).to_a, callable) }
    assert_equal [(0...40).to_a] * 10, (results.map { |all| all.map { |_, _, item| item } })
    numbers = results.flatten(1).group_by(&:first)
    assert_operator numbers.size, :<=, 2
    assert_equal numbers.size, Tool.made - before
    numbers.each_value { |all| assert_equal (1..all.size).to_a, all.map { |_, calls, _| calls }.sort }
  end

  def test_two_per_workers_of_one_factory_have_two_objects
    one, two = [tool, tool].map { |callable| value_of([1], callable)[0][0] }
    refute_equal one, two
  end

  def test_an_item_that_raises_leaves_the_object_in_use
    results = value_of([1, :fail, 2], tool, sequential: true)
    assert_failure results[1], "KeyError", 1
    assert_equal [[results[0][0], 1, 1], [results[0][0], 2, 2]], results.values_at(0, 2)
  end

  def test_an_object_whose_thread_was_ended_is_not_used_again
    results = value_of([1, :end_thread, 2], tool, sequential: true)
    assert_failure results[1], "ThreadError", 1
    refute_equal results[0][0], results[2][0]
    assert_equal 1, results[2][1]
  end

  def test_a_factory_that_fails_is_named_and_tried_again_with_the_next_item
    flaky = Flaky.new("flaky #{object_id} #{Process.clock_gettime(Process::CLOCK_MONOTONIC, :nanosecond)}")
    results = value_of([1, 2, 3, 4], Ratomic::Workers.per_worker(flaky, call: :use), sequential: true)
    [0, 1].each { |index| assert_failure results[index], "Ratomic::Workers::FactoryError", index }
    assert_match(/PerWorkerContract::Flaky.* raised IOError: no connection/, results[0].message)
    assert_equal "IOError", results[0].cause.exception_class
    assert_equal [[1, 3], [2, 4]], (results.last(2).map { |_, calls, item| [calls, item] })
  end

  def test_an_object_without_the_method_is_a_failure
    failure = value_of([1], Ratomic::Workers.per_worker(MakeNothing, call: :use))[0]
    assert_failure failure, "Ratomic::Workers::FactoryError", 0
    assert_match(/NilClass, which has no method `use`/, failure.message)
  end

  def test_around_runs_once_for_each_item_and_returns_its_result
    before = Note.begun
    results = value_of([1, 2, :raise_error, 3], Misbehave, around: Note)
    assert_equal [1, 2, 3], results.values_at(0, 1, 3)
    assert_failure results[2], "KeyError", 2
    assert_equal 4, Note.begun - before
    assert_equal Note.begun, Note.ended
  end

  def test_an_around_that_does_not_yield_is_a_failure
    failure = value_of([:skip], Double, around: Note)[0]
    assert_failure failure, "Ratomic::Workers::CallableError", 0
    assert_match(/PerWorkerContract::Note did not yield/, failure.message)
  end

  def test_around_and_per_worker_can_be_combined
    before = Note.begun
    assert_equal [[1, 5], [2, 6]], (value_of([5, 6], tool, around: Note, sequential: true).map { |_, *rest| rest })
    assert_equal 2, Note.begun - before
  end
end
