# frozen_string_literal: true

require "test_helper"
require "etc"
require "support/worker_callables"

# `explain(..., try: item)`.
class TrialRunTest < Minitest::Test
  include WorkerCallables

  CALLS = Ratomic::Map.new

  module Counting
    def self.call(item)
      CALLS.append(:items, item)
      item == :drop ? Ratomic::Workers::DROPPED : [item]
    end
  end

  module AskingEtc
    def self.call(_item)
      Etc.getpwuid.name
    end
  end

  def setup
    @pool = Ratomic::Workers::Pool.new(size: 1)
    CALLS.clear
  end

  def teardown
    @pool.kill
  end

  def test_without_a_sample_nothing_runs_and_nothing_starts
    explanation = @pool.explain([1, 2], Counting)
    refute_includes explanation.to_h, :try
    refute_match(/tried/, explanation.to_s)
    assert_empty CALLS
    refute_predicate @pool, :started?
  end

  def test_the_sample_runs_once_and_no_other_item_does
    explanation = @pool.explain([1, 2], Counting, try: 7)
    tried = explanation.to_h[:try]
    assert_equal [:returned, "Array"], tried.values_at(:outcome, :result)
    assert_operator tried[:seconds], :>=, 0
    assert_equal [7], CALLS[:items]
    assert_predicate explanation, :ok?
    assert_match(/^tried: returned: a Array in \d/, explanation.to_s)
  end

  def test_nil_can_be_the_sample_and_the_sample_may_be_dropped
    assert_equal :returned, @pool.explain([], Counting, try: nil).to_h[:try][:outcome]
    explanation = @pool.explain([], Counting, try: :drop)
    assert_equal :dropped, explanation.to_h[:try][:outcome]
    assert_predicate explanation, :ok?
    assert_equal [nil, :drop], CALLS[:items]
  end

  def test_an_error_is_reported_with_its_class
    explanation = @pool.explain([1], Misbehave, try: :raise_error)
    assert_equal :failed, explanation.to_h[:try][:outcome]
    assert_match(/KeyError/, explanation.to_h[:try][:failure])
    refute_predicate explanation, :ok?
  end

  def test_an_error_that_only_a_worker_finds_is_reported_with_its_remedy
    skip_without_ractors
    explanation = @pool.explain([1], AskingEtc, try: 1)
    skip "this Ruby allows it" if explanation.ok?
    assert_match(/Ractor::UnsafeError/, explanation.to_h[:try][:failure])
    assert_match(/context:/, explanation.to_h[:try][:remedy])
    assert_match(/^tried: failed: Ractor::UnsafeError: .*context:/, explanation.to_s)
  end

  def test_a_callable_that_is_refused_does_not_run
    skip_without_ractors
    refused = Class.new { def call(item) = item }.new
    explanation = @pool.explain([1], refused, try: 1)
    assert_equal :refused, explanation.to_h[:try][:outcome]
    assert_match(/not shareable/, explanation.to_h[:try][:failure])
    refute_predicate explanation, :ok?
  end

  def test_owned_results_too
    tried = @pool.explain([1], Counting, results: :owned, try: 7).to_h[:try]
    assert_equal [:returned, "Array"], tried.values_at(:outcome, :result)
  end

  def test_the_default_pool_has_it_too
    assert_equal :returned, Ratomic::Workers.explain([1], Counting, try: 1).to_h[:try][:outcome]
  end
end
