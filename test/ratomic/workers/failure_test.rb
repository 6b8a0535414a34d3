# frozen_string_literal: true

require "test_helper"

class FailureTest < Minitest::Test
  Failure = Ratomic::Workers::Failure

  def error
    raise "inner"
  rescue RuntimeError
    begin
      raise ArgumentError, "outer"
    rescue ArgumentError => e
      e
    end
  end

  def test_it_keeps_what_an_exception_says
    failure = Failure.from(error, 7)
    assert_equal [7, "ArgumentError", "outer"], [failure.index, failure.exception_class, failure.message]
    assert_match(/failure_test.rb:\d+/, failure.backtrace.first)
    assert_equal ["RuntimeError", "inner", nil],
                 [failure.cause.exception_class, failure.cause.message, failure.cause.cause]
    assert_predicate failure, :failure?
    assert_predicate failure, :frozen?
    assert Ractor.shareable?(failure)
    assert_equal "item 7: ArgumentError: outer", failure.to_s
  end

  def test_a_long_backtrace_is_cut
    lines = Array.new(10_000) { |i| "file.rb:#{i}" }
    failure = Failure.new(0, "SystemStackError", "deep", lines)
    assert_equal Failure::BACKTRACE_LINES + 1, failure.backtrace.size
    assert_equal "... 9950 lines more", failure.backtrace.last
  end

  def test_a_ring_of_causes_ends
    one = RuntimeError.new("one")
    two = RuntimeError.new("two")
    one.define_singleton_method(:cause) { two }
    two.define_singleton_method(:cause) { one }
    depth = 0
    failure = Failure.from(one, 0)
    depth += 1 while (failure = failure.cause)
    assert_equal Failure::CAUSES, depth
  end

  def test_equal_failures_are_equal
    assert_equal Failure.new(1, "A", "b"), Failure.new(1, "A", "b")
    refute_equal Failure.new(1, "A", "b"), Failure.new(2, "A", "b")
    assert_equal Failure.new(1, "A", "b").hash, Failure.new(1, "A", "b").hash
    assert_equal Failure.new(2, "A", "b"), Failure.new(1, "A", "b").at(2)
  end

  def test_it_becomes_the_error_that_fits
    names = { "KeyError" => "ItemError", "Ratomic::Workers::CancelledError" => "CancelledError",
              "Ratomic::Workers::ShutdownError" => "ShutdownError" }
    names.each { |name, made| assert_equal "Ratomic::Workers::#{made}", Failure.new(0, name, "x").to_error.class.name }
  end
end
