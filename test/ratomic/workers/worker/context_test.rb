# frozen_string_literal: true

require "test_helper"

class WorkersContextTest < Minitest::Test
  Context = Ratomic::Workers::Context

  def test_it_is_there_for_the_block_and_then_the_one_before
    Context.with(:outer) do
      Context.with(:inner) { assert_equal :inner, Context.current }
      assert_equal :outer, Context.current
      Context.with(nil) { assert_nil Context.current }
    end
    assert_nil Context.current
  end

  def test_it_is_put_back_when_the_block_raises
    assert_raises(KeyError) { Context.with(:here) { raise KeyError } }
    assert_nil Context.current
  end

  def test_it_belongs_to_the_thread_whatever_fiber_runs
    Context.with(:here) do
      assert_equal :here, Fiber.new { Context.current }.resume
      assert_nil Thread.new { Context.current }.value
    end
  end
end
