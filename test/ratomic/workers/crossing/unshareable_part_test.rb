# frozen_string_literal: true

require "test_helper"
require "singleton"

class UnshareablePartTest < Minitest::Test
  UnshareablePart = Ratomic::Workers::UnshareablePart
  Pair = Struct.new(:left, :right)

  class Holder
    def initialize(inner)
      @inner = inner
    end
  end

  class Only
    include Singleton
  end

  def path_to(object)
    UnshareablePart.in(object)&.path
  end

  def test_a_shareable_object_has_no_unshareable_part
    [1, "text".dup.freeze, [1, [2].freeze].freeze, String, nil].each { |object| assert_nil UnshareablePart.in(object) }
  end

  def test_paths_are_written_as_ruby_expressions
    assert_equal "@inner.@inner", path_to(Holder.new(Holder.new($stdout)))
    assert_equal "[1][:io]", path_to([0, { io: $stdout }])
    assert_equal "@inner.right[0]", path_to(Holder.new(Pair.new(1, [Thread.current])))
    assert_equal "", path_to($stdout)
    assert_equal "[:list]", path_to({ list: [1] }.freeze)
  end

  def test_a_part_that_can_never_be_shared_is_named_before_an_unfrozen_one
    obstacle = UnshareablePart.in(Holder.new([+"text", Thread::Mutex.new]))
    assert_equal "@inner[1]", obstacle.path
    refute_predicate obstacle, :unfrozen?
    assert_predicate UnshareablePart.in(Holder.new([+"text"].freeze).freeze), :unfrozen?
  end

  def test_a_cycle_of_objects_is_searched_once
    ring = [1]
    ring << ring
    assert_equal "", path_to(ring)
    ring << $stdin
    assert_equal "[2]", path_to(ring)
  end

  def test_objects_that_the_program_needs_unfrozen_are_forbidden
    assert_equal "[0]", UnshareablePart.forbidden([$stdout]).path
    assert_equal "@inner", UnshareablePart.forbidden(Holder.new(Only.instance)).path
    assert_nil UnshareablePart.forbidden([+"text", Thread.current])
  end

  def test_a_hash_with_a_default_and_keys_are_looked_into
    assert_equal "key [#{$stdin.inspect}][0]", path_to({ [$stdin] => 1 })
    assert_equal "default_proc", path_to(Hash.new { |hash, key| hash[key] = 1 })
  end

  def test_an_object_without_methods_is_found_without_an_error
    assert_equal "[0]", path_to([Class.new(BasicObject).new])
  end
end
