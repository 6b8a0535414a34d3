# frozen_string_literal: true

require "test_helper"

class ExitHooksTest < Minitest::Test
  def test_hooks_run_at_the_end_of_each_thread_and_last_at_the_end_of_the_ractor
    skip_without_ractors
    told = Ratomic::Queue.new(16)
    in_ractor(told) do |queue|
      Ratomic::Workers::ExitHooks.here.on_end { |thread, last| queue.push([thread.name.to_s.dup, last]) }
      Thread.new { nil }.tap { |thread| thread.name = "short" }.join
      nil
    end
    assert_equal ["short", false], told.pop(timeout: 5)
    assert_equal true, told.pop(timeout: 5).last
  end

  def test_hooks_run_after_a_crash_and_an_error_in_one_does_not_stop_the_others
    skip_without_ractors
    told = Ratomic::Queue.new(16)
    assert_raises(KeyError) do
      in_ractor(told) do |queue|
        Thread.current.report_on_exception = false
        Ratomic::Workers::ExitHooks.here.on_end { raise "in the way" }
        Ratomic::Workers::ExitHooks.here.on_end { |_, last| queue.push(last) }
        raise KeyError
      end
    end
    assert_equal true, told.pop(timeout: 5)
  end

  def test_the_main_ractor_has_no_hooks
    told = []
    Ratomic::Workers::ExitHooks.here.on_end { told << true }
    Thread.new { nil }.join
    assert_empty told
  end
end
