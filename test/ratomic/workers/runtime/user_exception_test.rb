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

  def test_it_matches_all_that_user_code_raises
    [RuntimeError, NotImplementedError, SystemStackError, NoMemoryError, Exception].each do |kind|
      assert rescued?(kind), kind
    end
  end

  def test_it_does_not_match_an_exit_that_may_come_from_a_signal_handler
    refute rescued?(SystemExit)
    assert(within(5) { rescued?(SystemExit) }) # that is in another thread
  end

  def test_it_does_not_match_signals
    refute rescued?(Interrupt)
    refute rescued?(SignalException.new("TERM"))
  end

  def test_it_does_not_match_the_end_of_a_timeout_block
    inside = nil
    assert_raises(Timeout::Error) { Timeout.timeout(0.01) { inside = rescued?(sleep) } }
    assert_nil inside
  end

  def test_it_matches_exceptions_that_override_their_methods
    odd = RuntimeError.new
    odd.define_singleton_method(:is_a?) { |_kind| raise "not asked" }
    odd.define_singleton_method(:class) { raise "not asked" }
    assert rescued?(odd)
  end
end
