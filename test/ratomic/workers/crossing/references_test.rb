# frozen_string_literal: true

require "test_helper"
require "set"

class ReferencesTest < Minitest::Test
  Point = Struct.new(:x, :y)

  class Holder
    def initialize
      @io = :io
    end
  end

  def children(object)
    Ratomic::Workers::References.of(object)
  end

  def test_each_reference_has_the_step_that_leads_to_it
    assert_equal [["[0]", 1], ["[1]", 2]], children([1, 2])
    assert_equal [["key :a", :a], ["[:a]", 1], ["default", 7]], children(Hash.new(7).merge(a: 1))
    assert_equal [["x", 1], ["y", 2]], children(Point.new(1, 2))
    assert_equal [["begin", 1], ["end", nil]], children(1..)
    assert_equal [["@io", :io]], children(Holder.new)
    assert_includes children(Set[1]), ["to_a[...]", 1]
    assert_equal [["receiver", 3]], children(3.method(:succ))
    assert_empty children(3)
  end

  # Its words cannot be read.
  class Silent
    def inspect
      raise "no words"
    end
  end

  def test_an_object_without_methods_is_a_reference_too
    assert_equal ["key #<ReferencesTest::Silent>", "[#<ReferencesTest::Silent>]"],
                 children({ Silent.new => 1 }).map(&:first)
    mute = BasicObject.new
    step, child = children(Hash.new(mute))[0]
    assert_equal "default", step
    assert mute.equal?(child)
  end

  def test_instance_variables_of_containers_are_references_too
    list = [1]
    list.instance_variable_set(:@note, 2)
    assert_equal [["[0]", 1], ["@note", 2]], children(list)
  end

  def test_an_object_without_methods_has_no_references
    assert_empty children(BasicObject.new)
  end
end
