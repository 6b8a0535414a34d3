# frozen_string_literal: true

require "test_helper"

class RunsTest < Minitest::Test
  Workers = Ratomic::Workers
  Runs = Workers::Runs

  # Returns what it was made with.
  class Answer
    def initialize(answer)
      @answer = answer
    end

    def call(item); end

    def call_many(_items)
      @answer
    end
  end

  def results(answer, items = [1, 2])
    Runs.results(Answer.new(answer), items)
  end

  def test_which_callables_take_runs
    assert Runs.takes?(Answer.new([]))
    refute Runs.takes?(->(item) { item })
    refute Runs.takes?(BasicObject.new)
  end

  def test_results_are_what_comes_back
    answer = [1, Workers::DROPPED]
    assert_same answer, results(answer)
  end

  def test_anything_else_is_a_failure_of_each
    { [1] => /returned 1 results for 2 items/, nil => /returned an instance of NilClass/ }.each do |answer, words|
      failures = results(answer)
      assert_equal ["Ratomic::Workers::CallableError"] * 2, failures.map(&:exception_class)
      assert_match words, failures[0].message
    end
  end
end
