# frozen_string_literal: true

require "test_helper"

class StartPromiseTest < Minitest::Test
  Workers = Ratomic::Workers

  def setup
    @promise = Workers::StartPromise.new
  end

  def test_the_waiting_thread_gets_what_the_other_one_makes
    maker = Thread.new { @promise.fulfil { [1].freeze } }
    assert_equal [1], within(5) { await { flunk } }
    assert_equal [1], maker.value
  end

  def test_it_crosses_ractors
    skip_without_ractors
    maker = Ractor.new(@promise) { |promise| promise.fulfil { :made } }
    assert_equal :made, within(5) { await { flunk } }
    assert_equal :made, maker.value
  end

  [RuntimeError, ThreadError, NoMemoryError, SystemStackError, Interrupt, SystemExit].each do |kind|
    define_method("test_what_is_raised_instead_is_an_error_of_the_waiting_thread_#{kind}") do
      assert_nil(@promise.fulfil { raise kind, "why" })
      error = assert_raises(ThreadError) { within(5) { await { flunk } } }
      assert_equal "it could not start: #{kind}: why", error.message
    end
  end

  %i[raise kill].each do |way|
    define_method("test_an_interrupt_ends_the_wait_and_the_maker_is_told_#{way}") do
      waiting = Thread.new { await { flunk } }
      waiting.report_on_exception = false
      until_asleep(waiting)
      way == :kill ? waiting.kill : waiting.raise(IOError)
      within(5) { waiting.join rescue IOError } # rubocop:disable Style/RescueModifier
      refute_predicate waiting, :alive?
      assert_nil(@promise.fulfil { :made })
    end
  end

  def test_nobody_waits_and_the_maker_raises
    waiting = Thread.new { await { flunk } }
    until_asleep(waiting)
    waiting.kill.join
    assert_nil(@promise.fulfil { raise "why" })
  end

  # A queue whose wait an interrupt ends when the answer is in it already.
  Interrupted = Struct.new(:answer) do
    def pop = raise(IOError)
    def close = nil
    def try_pop = answer
  end

  def test_what_was_made_meanwhile_is_given_up
    { made: [:made], "why" => [], nil => [] }.each do |answer, given_up|
      @promise = Workers::StartPromise.allocate
      @promise.instance_variable_set(:@answers, Interrupted.new(answer))
      late = []
      assert_raises(IOError) { await { |made| late << made } }
      assert_equal given_up, late
    end
  end

  private

  def await(&late)
    Workers::Interrupts.deferred { @promise.await("it", &late) }
  end
end
