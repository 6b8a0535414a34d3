# frozen_string_literal: true

require "test_helper"

class BlocksTest < Minitest::Test
  Blocks = Ratomic::Workers.const_get(:Blocks)

  module Written
    def self.block
      proc { |sum, n| sum + double(n) }
    end

    def self.double(number)
      number * 2
    end
  end

  def setup
    skip_without_ractors
  end

  def share(block = nil, &given)
    Blocks.share(block || given, "block")
  end

  def test_a_literal_block_becomes_one_that_any_ractor_can_call
    limit = 5
    block = share { |sum, n| n > limit ? sum : sum + n }
    assert Ractor.shareable?(block)
    assert_equal 3, Ractor.new(block) { |shared| shared.call(1, 2) }.value
  end

  def test_a_block_in_a_module_keeps_its_self
    assert_equal 7, share(Written.block).call(1, 3)
  end

  def test_the_self_of_other_blocks_is_nil
    assert_nil share { itself }.call
  end

  def test_the_block_of_a_symbol_works
    assert_equal [3, 2], [share(&:+).call(1, 2), share(&:[]).call([1, 2], 1)]
    assert_equal "A", share(&:upcase).call("a")
    assert Ractor.shareable?(share(&:+))
  end

  def test_a_shareable_proc_and_an_object_that_is_no_proc_stay_as_they_are
    shared = Ractor.shareable_proc { 1 }
    assert_same shared, share(shared)
    assert_same Written, share(Written)
  end

  def test_a_block_that_uses_unshareable_variables_is_refused
    list = []
    error = assert_raises(Ratomic::Workers::CallableError) { share { |sum, n| list << n && sum } }
    assert_match(/the block \(.*blocks_test.rb:\d+\) cannot run in a worker: .*list/, error.message)
  end
end
