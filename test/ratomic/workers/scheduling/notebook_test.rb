# frozen_string_literal: true

require "test_helper"
require "support/worker_callables"

class NotebookTest < Minitest::Test
  def setup
    @notebook = Ratomic::Workers::Notebook.new
  end

  def test_it_keeps_what_was_noted
    @notebook["a"] = 1
    @notebook["a"] = 2
    @notebook["b"] = 3
    @notebook.delete("b")
    assert_equal [2, nil, { "a" => 2 }], [@notebook["a"], @notebook["b"], @notebook.to_h]
    assert Ractor.shareable?(@notebook)
  end

  def test_a_full_one_begins_anew
    (1..Ratomic::Workers::Notebook::MOST).each { |key| @notebook[key] = key }
    @notebook[1] = 0
    assert_equal Ratomic::Workers::Notebook::MOST, @notebook.to_h.size
    @notebook[:more] = 1
    assert_equal({ more: 1 }, @notebook.to_h)
  end

  def test_callables_that_are_made_anew_for_each_dispatch_are_not_kept_for_ever
    pool = Ratomic::Workers::Pool.new(size: 1, min_batch: 0)
    (Ratomic::Workers::Notebook::MOST + 100).times do
      callable = Class.new { def call(item) = item }.new.freeze
      assert_equal [1], pool.dispatch_async([1], callable).value(timeout: 5)
    end
    assert_operator pool.stats[:costs].size, :<=, Ratomic::Workers::Notebook::MOST
  ensure
    pool.kill
  end
end
