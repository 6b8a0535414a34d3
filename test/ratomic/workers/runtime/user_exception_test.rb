# frozen_string_literal: true

require "test_helper"

class UserExceptionTest < Minitest::Test
  UserException = Ratomic::Workers::UserException

  def rescued?(error)
    raise error
  rescue UserException
    true
  rescue Exception # rubocop:disable Lint/RescueException
    false
  end

  def test_it_rescues_whatever_the_code_of_others_raises
    [RuntimeError, NotImplementedError, SystemStackError, NoMemoryError, Exception].each do |kind|
      assert rescued?(kind), kind
    end
  end

  def test_an_exit_passes_where_it_may_be_a_trap_handlers
    refute rescued?(SystemExit)
    assert(within(5) { rescued?(SystemExit) }) # that is in another thread
  end

  def test_it_rescues_no_signals
    refute rescued?(Interrupt)
    refute rescued?(SignalException.new("TERM"))
  end

  def test_the_end_of_a_timeout_block_passes
    inside = nil
    assert_raises(Timeout::Error) { Timeout.timeout(0.01) { inside = rescued?(sleep) } }
    assert_nil inside
  end

  def test_an_exception_that_answers_in_its_own_way_is_rescued_too
    odd = RuntimeError.new
    odd.define_singleton_method(:is_a?) { |_kind| raise "not asked" }
    odd.define_singleton_method(:class) { raise "not asked" }
    assert rescued?(odd)
  end
end
