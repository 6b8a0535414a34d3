# frozen_string_literal: true

require "test_helper"
require "support/shown_errors"

class ErrorWarningTest < Minitest::Test
  include ShownErrors

  First = Class.new(StandardError)
  Second = Class.new(StandardError)
  WARNING = Ratomic::Workers.const_get(:ErrorWarning)

  def failure(error)
    raise error
  rescue StandardError => e
    Ratomic::Workers::Failure.from(e, nil)
  end

  def once(error)
    WARNING.once(failure(error), "the coordinator of the pool jobs")
  end

  def test_the_first_error_of_a_class_is_shown_with_its_place
    place = /error_warning_test.rb:\d+:/
    line = /\Aratomic: an error in the coordinator of the pool jobs: #{First}: broken \(.*#{place}.*\)\z/
    assert_shown(First, line) { assert_equal [true, false], [once(First.new("broken")), once(First.new("again"))] }
  end

  def test_another_class_is_shown_too
    once(First.new("one"))
    assert_shown(Second, /: two/) { 2.times { once(Second.new("two")) } }
  end

  def test_classes_without_a_name_count_as_one
    SHOWN.delete("#{Process.pid} (anonymous)")
    _, shown = capture_io do
      assert_equal([true, false, false], Array.new(3) { once(Class.new(StandardError).new("of many")) })
    end
    assert_equal 1, shown.scan("of many").size
  end

  # The warnings of a program may be errors, in its tests.
  def test_a_warning_that_raises_does_not_end_the_thread
    out = ruby!(<<~RUBY, seconds: 60)
      require "ratomic"
      def Warning.warn(*) = raise(NotImplementedError, "no warnings here")
      metrics = Ratomic::Workers::Metrics.new("jobs")
      metrics.trouble(KeyError.new("no such key"), "a thread")
      p metrics.trouble_log.to_h
    RUBY
    assert_equal "#{{ "KeyError: no such key" => "" }.inspect}\n", out
  end

  def test_a_forked_child_shows_its_own
    result = assert_success(ruby(<<~RUBY, seconds: 60))
      require "ratomic"
      metrics = Ratomic::Workers::Metrics.new("jobs")
      2.times { metrics.trouble(KeyError.new("in the parent"), "a hook") }
      Process.wait(fork { 2.times { metrics.trouble(KeyError.new("in the child"), "a hook") } })
    RUBY
    assert_equal ["in the parent", "in the child"], result.err.scan(/in the (?:parent|child)/)
  end

  def test_another_ractor_shows_them_too
    skip_without_ractors
    result = assert_success(ruby(<<~RUBY, seconds: 60))
      require "ratomic"
      metrics = Ratomic::Workers::Metrics.new("jobs")
      Array.new(3) { Ractor.new(metrics) { |here| here.trouble(KeyError.new("in a Ractor"), "a hook") } }.each(&:value)
      p metrics.counts[:troubles]
    RUBY
    assert_equal "3\n", result.out
    assert_equal ["ratomic: an error in a hook of the pool jobs: KeyError: in a Ractor\n"],
                 result.err.lines.grep(/an error/)
  end
end
