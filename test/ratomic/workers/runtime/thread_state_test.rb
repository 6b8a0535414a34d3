# frozen_string_literal: true

require "test_helper"

class ThreadStateTest < Minitest::Test
  ThreadState = Ratomic::Workers::ThreadState

  # In a thread of its own, which has something already.
  def on_a_thread
    Thread.new do
      Thread.current[:mine] = mine = +"mine"
      yield ThreadState.new, mine
    end.value
  end

  def test_variables_that_an_item_set_are_removed_and_changed_ones_restored
    on_a_thread do |state, mine|
      refute_predicate state, :changed?
      refute state.restore
      Thread.current[:mine] = +"mine"
      Thread.current[:left] = 1
      Thread.current.thread_variable_set(:left, 1)
      Thread.current.priority = -1
      assert_predicate state, :changed?, "an equal one is another one"
      assert state.restore
      assert_same mine, Thread.current[:mine]
      assert_equal [[:mine], nil, 0],
                   [Thread.current.keys, Thread.current.thread_variable_get(:left), Thread.current.priority]
    end
  end

  def test_variables_of_the_library_do_not_count_as_changes
    on_a_thread do |state|
      Ratomic::Workers::Context.current = :trace
      refute_predicate state, :changed?
    end
  end

  def test_variables_of_a_local_pool_do_not_count_as_changes
    maker = Ractor.make_shareable(Struct.new(:text) { def call = +"" }.new("x"))
    lent = Ratomic::LocalPool.new(size: 1, factory: maker)
    on_a_thread do |state|
      lent.with { |text| text << "used" }
      refute_predicate state, :changed?
    end
  end

  def test_fiber_storage_is_restored_too
    skip "this Ruby has none" unless Fiber.respond_to?(:[])
    on_a_thread do |state|
      Fiber[:left] = 1
      assert state.restore
      assert_nil Fiber[:left]
    end
  end
end
