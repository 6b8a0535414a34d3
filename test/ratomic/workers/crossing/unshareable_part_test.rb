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

  def test_what_is_shareable_has_none
    [1, "text".dup.freeze, [1, [2].freeze].freeze, String, nil].each { |object| assert_nil UnshareablePart.in(object) }
  end

  def test_paths_are_written_as_ruby_would_reach_it
    assert_equal "@inner.@inner", path_to(Holder.new(Holder.new($stdout)))
    assert_equal "[1][:io]", path_to([0, { io: $stdout }])
    assert_equal "@inner.right[0]", path_to(Holder.new(Pair.new(1, [Thread.current])))
    assert_equal "", path_to($stdout)
    assert_equal "[:list]", path_to({ list: [1] }.freeze)
  end

  def test_what_can_never_be_shared_comes_before_what_is_only_not_frozen
    obstacle = UnshareablePart.in(Holder.new([+"text", Thread::Mutex.new]))
    assert_equal "@inner[1]", obstacle.path
    refute_predicate obstacle, :unfrozen?
    assert_predicate UnshareablePart.in(Holder.new([+"text"].freeze).freeze), :unfrozen?
  end

  def test_a_ring_of_objects_ends
    ring = [1]
    ring << ring
    assert_equal "", path_to(ring)
    ring << $stdin
    assert_equal "[2]", path_to(ring)
  end

  def test_forbidden_is_what_freezing_would_break_for_the_program
    assert_equal "[0]", UnshareablePart.forbidden([$stdout]).path
    assert_equal "@inner", UnshareablePart.forbidden(Holder.new(Only.instance)).path
    assert_nil UnshareablePart.forbidden([+"text", Thread.current])
  end

  def test_a_hash_with_a_default_and_keys_are_looked_into
    assert_equal "key [#{$stdin.inspect}][0]", path_to({ [$stdin] => 1 })
    assert_equal "default_proc", path_to(Hash.new { |hash, key| hash[key] = 1 })
  end

  def test_an_object_that_answers_nothing_does_no_harm
    assert_equal "[0]", path_to([Class.new(BasicObject).new])
  end
end
