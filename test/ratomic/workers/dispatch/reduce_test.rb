# frozen_string_literal: true

require "test_helper"
require "support/worker_pools"
require "support/worker_callables"

class ReduceTest < Minitest::Test
  include WorkerPools
  include WorkerCallables

  def refused(kind, words, callable = Double, **options, &block)
    error = assert_raises(kind) { (@pool ||= new_pool).reduce([1], callable, **options, &block) }
    assert_match words, error.message
  end

  def test_a_missing_argument_is_named
    refused(ArgumentError, /needs initial: and a block .* no initial and no merge/)
    refused(ArgumentError, /a block needs initial:/) { |sum, n| sum + n }
    refused(ArgumentError, /with a block/, initial: 0)
    refused(TypeError, /merge: must have call, Integer/, initial: 0, merge: 1) { |sum, n| sum + n }
    refused(TypeError, /max_failures: must be an Integer/, initial: 0, max_failures: nil) { |sum, n| sum + n }
    refused(ArgumentError, /max_failures: must be 0 or more, not -1/, initial: 0, max_failures: -1) { |sum, n| sum + n }
    refused(Ratomic::Workers::CallableError, /no method `call`/, 7, initial: 0) { |sum, n| sum + n }
  end

  def test_an_initial_value_that_is_no_keyword_is_refused
    error = assert_raises(TypeError) { new_pool.reduce([1], Double, 0) { |sum, n| sum + n } }
    assert_equal "options must be keywords, not 0", error.message
  end

  def test_a_block_that_no_worker_could_call_is_refused
    skip_without_ractors
    list = []
    refused(Ratomic::Workers::CallableError, /the block of reduce .*'list'/, initial: 0) { |sum, n| list << n && sum }
  end

  def test_the_error_names_the_part_of_the_callable_that_cannot_be_shared
    skip_without_ractors
    callable = Struct.new(:io) { def call(item) = item }.new($stdout)
    refused(Ratomic::Workers::CallableError, /io \(?.*IO/, callable, initial: 0) { |sum, _| sum }
  end

  def test_a_pool_knows_the_reductions_of_a_callable_by_the_callable
    pool = new_pool
    3.times { pool.reduce(1..50, Double, initial: 0, &:+) }
    assert_equal ["reduce of WorkerCallables::Double"], pool.stats[:costs].keys
  end
end
