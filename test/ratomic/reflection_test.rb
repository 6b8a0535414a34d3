# frozen_string_literal: true

require "test_helper"

class ReflectionTest < Minitest::Test
  Reflection = Ratomic::Reflection

  # Says of itself what is not so.
  class Liar
    def class
      :class
    end

    def method
      :get
    end
  end

  def test_it_asks_ruby_and_not_the_object
    assert_equal Liar, Reflection.class_of(Liar.new)
    assert_equal :get, Reflection.method_of(Liar.new, :method).call
    assert_raises(NameError) { Reflection.method_of(Liar.new, :post) }
  end

  def test_it_knows_the_text_that_an_error_was_made_with
    error = Class.new(StandardError) { def to_s = "another" }.new("the text")
    assert_equal "the text", Reflection.message_of(error)
  end

  def test_objects_without_methods_have_a_class_all_the_same
    assert_equal BasicObject, Reflection.class_of(BasicObject.new)
    assert_equal Array, Reflection.class_of([])
  end

  def test_it_sees_what_an_object_holds_and_whether_it_is_frozen
    liar = Liar.new
    refute Reflection.object_frozen?(liar)
    liar.instance_variable_set(:@io, 1)
    assert Reflection.object_frozen?(liar.freeze)
    assert_equal [[:@io, 1]], Reflection.variables_of(liar)
  end

  # Is interrupted while it answers, the first time; an answer of its own that raises would do so again.
  class Interrupted
    def respond_to?(*)
      return super if @interrupted

      @interrupted = true
      Thread.current.raise(KeyError, "from another thread")
    end
  end

  def test_an_error_from_another_thread_is_not_taken_for_the_answer
    assert_raises(KeyError) { Reflection.responds?(Interrupted.new, :to_s) }
    refute Reflection.responds?(Class.new { def respond_to?(*) = raise(KeyError) }.new, :to_s)
  end

  def test_it_answers_in_every_ractor
    skip_without_ractors
    assert_equal [Integer, 3], Ractor.new { [Reflection.class_of(1), Reflection.method_of(-3, :abs).call] }.value
  end
end
