# frozen_string_literal: true

require "test_helper"
require "monitor"
require "stringio"

# What works by changing is found wherever it is.
class StatefulObjectsTest < Minitest::Test
  StatefulObjects = Ratomic::Workers::StatefulObjects
  Box = Struct.new(:held)

  class Notes
    def info(text) = text
  end

  def test_it_finds_objects_that_must_not_be_frozen
    [$stdout, StringIO.new, Notes.new, Monitor.new, Thread::Mutex.new, Thread::Queue.new, Thread::ConditionVariable.new,
     Random.new(1), Thread.current].each do |object|
      assert_same object, StatefulObjects.in(object)
      assert_same object, StatefulObjects.in([{ key: Box.new([1, object]) }])
    end
  end

  def test_plain_data_and_classes_are_not_stateful
    circle = []
    circle << circle << Box.new(circle)
    [nil, 1, +"text", [[+"a"]], { a: { "b" => [] } }, Box.new(+"a"), String, Class.new, circle, Object.new, 1..2]
      .each { |object| assert_nil StatefulObjects.in(object) }
  end

  def test_it_finds_a_lock_in_an_instance_variable
    mixed = Class.new { include MonitorMixin }.new
    assert_same mixed, StatefulObjects.in([mixed])
  end

  def test_an_object_that_answers_no_question_counts_as_stateful
    bad = Class.new { def respond_to?(*) = raise("no") }.new
    assert_nil StatefulObjects.in(bad)
    assert_match(/instance of Random.*backend: :thread/, StatefulObjects.advice(Random.new(1)))
  end
end
