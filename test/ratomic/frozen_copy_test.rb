# frozen_string_literal: true

require "test_helper"
require "set"

# What Ruby's own way gets wrong, through every door that it may come by.
class FrozenCopyTest < Minitest::Test
  FrozenCopy = Ratomic::FrozenCopy
  Pair = Struct.new(:left, :right)
  Point = Data.define(:place) if defined?(Data) && Data.respond_to?(:define)

  class Tagged < Set
    attr_accessor :tag
  end

  class Picky < Set
    attr_reader :limit

    def initialize(limit, items)
      @limit = limit
      super(items)
    end
  end

  class Holder
    attr_accessor :held

    def initialize(held)
      @held = held
    end
  end

  # Hands its item back.
  module Same
    def self.call(item)
      item
    end
  end

  def self.pool
    @pool ||= Ratomic::Workers::Pool.new(size: 1, min_batch: 0).tap { |made| Minitest.after_run { made.kill } }
  end

  # By a Map, a Queue, and as an item and result.
  def doors
    map = Ratomic::Map.new
    queue = Ratomic::Queue.new(1)
    { map: ->(object) { map[:key] = object and map[:key] },
      queue: ->(object) { queue.push(object).pop },
      item: ->(object) { self.class.pool.dispatch_async([object], Same).value!(timeout: 10)[0] } }
  end

  # Yields what comes out of each.
  def through_all(object)
    doors.each do |name, door|
      copy = door.call(object)
      assert Ractor.shareable?(copy), name.to_s
      assert_equal object.class, copy.class, name.to_s
      yield copy
    end
  end

  def set_of(*elements)
    Set.new(elements)
  end

  def test_a_set_keeps_its_elements_and_the_callers_own_stays
    text = +"a"
    set = set_of(text, [1, [text]], 2)
    through_all(set) do |copy|
      assert_equal set, copy
      assert_includes copy, "a"
      assert_includes copy, [1, ["a"]]
    end
    refute [set, set.to_a[1], text].any?(&:frozen?)
  end

  def test_a_set_that_compares_by_identity_stays_one
    text = +"a"
    frozen = "b".dup.freeze
    through_all(Set.new.compare_by_identity.add(text).add(frozen)) do |copy|
      assert_predicate copy, :compare_by_identity?
      assert_equal %w[a b], copy.to_a
      assert(copy.all? { |element| copy.include?(element) })
      assert_includes copy, frozen
      refute_includes copy, +"a"
    end
    refute_predicate text, :frozen?
  end

  def test_a_set_of_a_class_of_its_own_keeps_its_variables
    tagged = Tagged.new([1, +"a"])
    tagged.tag = [+"tag"]
    through_all(tagged) { |copy| assert_equal [Tagged.new([1, "a"]), ["tag"]], [copy, copy.tag] }
    through_all(Picky.new(3, [1, +"x"])) { |copy| assert_equal [3, [1, "x"]], [copy.limit, copy.to_a] }
    refute [tagged, tagged.tag, tagged.tag[0]].any?(&:frozen?)
  end

  def test_a_set_anywhere_in_an_object
    set = set_of(+"a", [+"b"])
    around = [[set], { key: set }, Pair.new(set, 1), Holder.new(set), set_of(set), { set => 1 }, [[[set]]]]
    around << Point.new(place: set) if defined?(Point)
    around.each do |object|
      through_all(object) do |copy|
        assert_equal [set], sets_in(copy)
        assert(copy.to_a.include?(set), object.class.to_s) if Set === copy
        assert_equal 1, copy[set] if Hash === copy && copy.key?(set)
      end
    end
    refute [set, set.to_a[1]].any?(&:frozen?) # a Set itself freezes copies of Strings
  end

  def sets_in(object)
    return [object] if Set === object && object.none?(Set)

    Ratomic::Workers::References.of(object).flat_map { |_, child| sets_in(child) }.grep(Set).uniq
  end

  def test_what_is_shareable_stays_the_same_object
    set = set_of("a", [1, "b".dup.freeze].freeze).freeze
    [set, [set].freeze, { set => [set].freeze }.freeze].each do |object|
      through_all(object) { |copy| assert_same object, copy }
    end
    through_all([set]) { |copy| assert_same set, copy[0] }
  end

  def test_the_keys_of_a_hash_are_found_in_its_copy
    own = {}.compare_by_identity
    own[+"text"] = 1
    own[[1]] = 2
    [own, { Object.new => 1, Holder.new([]) => 2 }, { [Object.new] => 1, [1, +"x"] => 2 },
     { Pair.new(Object.new, 1) => 1 }, { set_of(Object.new) => [+"x"] }].each do |hash|
      [hash, [hash], { hash: hash }].each do |object|
        through_all(object) do |copy|
          inner = Array === copy ? copy[0] : copy.fetch(:hash, copy)
          assert_equal hash.compare_by_identity?, inner.compare_by_identity?
          assert_equal hash.values, inner.keys.map { |key| inner[key] }
        end
      end
    end
    assert(own.keys.none?(&:frozen?))
    assert_nil own["text"]
  end

  def test_an_element_of_a_set_is_found_in_its_copy
    through_all(set_of(Object.new, Holder.new(1))) { |copy| assert(copy.all? { |element| copy.include?(element) }) }
  end

  def test_what_is_referred_to_twice_is_one_object_in_the_copy
    key = Object.new
    through_all({ ranks: { key => 5 }, order: [key, set_of(key)] }) do |copy|
      assert_equal 5, copy[:ranks][copy[:order][0]]
      assert_same copy[:order][0], copy[:order][1].first
    end
    ring = Holder.new([set_of(+"a")])
    ring.held << ring
    through_all(ring) { |copy| assert_same copy, copy.held[1] }
  end

  def test_variables_defaults_and_classes_are_kept
    hash = Class.new(Hash) { attr_accessor :note }.new([+"default"])
    hash.note = [+"note"]
    hash[Object.new] = 1
    through_all(hash) { |copy| assert_equal [["note"], ["default"]], [copy.note, copy[:none]] }
    text = Class.new(String).new("text")
    text.instance_variable_set(:@note, set_of(1))
    through_all(text) { |copy| assert_equal ["text", Set[1]], [copy, copy.instance_variable_get(:@note)] }
    through_all([(+"a"..+"b"), set_of(1)]) { |copy| assert_equal "a".."b", copy[0] }
  end

  # A Hash that converts what is stored, as those of many libraries do.
  class Adding < Hash
    def []=(key, value)
      super(key, value.is_a?(Integer) ? value + 1 : value)
    end

    def clear
      raise "not this one"
    end
  end

  def test_a_hash_that_converts_what_is_stored_converts_nothing_again
    hash = Adding.new.tap { |adding| adding[:number] = 1 }
    hash[:set] = Set[[1]]
    copy = FrozenCopy.of(hash)
    assert_instance_of Adding, copy
    assert_equal [[:number, 2], [:set, Set[[1]]]], copy.to_a
  end

  def test_objects_that_cannot_be_copied_right_are_refused_with_the_reason
    ring = Holder.new(nil)
    ring.held = set_of(ring)
    self_set = Set.new.compare_by_identity
    self_set << [self_set]
    key_ring = {}
    key_ring[Holder.new(key_ring)] = 1
    { ring => /within itself/, self_set => /within itself/, key_ring => /within itself/,
      set_of([$stdout]) => /to_a\[...\]\[0\] \(an instance of IO\)/, set_of(Thread.current) => /Thread/,
      Hash.new { 1 }.merge(Object.new => 1) => /Proc|proc/ }.compare_by_identity.each do |object, reason|
      error = assert_raises(Ratomic::ShareableError) { Ratomic::Map.new[:key] = object }
      assert_match reason, error.message
      failure = self.class.pool.dispatch_async([object], Same).value(timeout: 10)[0]
      assert_equal "Ratomic::ShareableError", failure.exception_class
      assert_match reason, failure.message
    end
    refute_predicate $stdout, :frozen?
  end

  def test_what_is_nested_too_deeply_is_refused
    deep = 200_000.times.inject([]) { |inner, _| [inner] }
    [deep, [set_of(1), deep]].each do |object|
      [-> { Ratomic::Map.new[:key] = object }, -> { Ratomic::Queue.new(1).push(object) }].each do |store|
        assert_match(/nested too deeply/, assert_raises(Ratomic::ShareableError, &store).message)
      end
    end
  end

  def test_sealing_freezes_where_it_stands
    set = set_of(list = [inner = +"b"])
    object = { set: set, holder: Holder.new(set_of(set)) }
    assert_same object, FrozenCopy.seal(object)
    assert Ractor.shareable?(object)
    assert [set, list, inner].all?(&:frozen?)
    ring = Holder.new(nil)
    ring.held = set_of([ring])
    assert_raises(Ratomic::ShareableError) { FrozenCopy.seal(ring) }
  end

  def test_shareable_is_what_ruby_says
    objects = [set_of(1), set_of(1).freeze, set_of(+"a").freeze, [set_of("a".dup.freeze).freeze].freeze,
               [set_of([+"a"].freeze).freeze].freeze, {}.compare_by_identity.freeze, Object.new, :a, "a".dup.freeze]
    expected = objects.map { |object| Ractor.shareable?(object) } # alone in the process, it is harmless
    assert_equal expected, objects.map { |object| FrozenCopy.shareable?(object) }
  end

  def test_every_ractor_may_make_copies
    skip_without_ractors
    map = Ratomic::Map.new
    Ractor.new(map) do |shared|
      shared[:sets] = [Set[+"a", [+"b"]], Tagged.new([1]), { Object.new => 1 }, Pair.new(Set[1], 2), ("a"..+"b")]
      shared[:point] = [Point.new(place: Set[+"x"])]
      shared[:error] = begin
        raise KeyError, "words"
      rescue KeyError => e
        [e]
      end
      nil
    end.value
    assert_equal [Set["a", ["b"]], Tagged.new([1]), 1], map[:sets].first(2) + map[:sets][2].values
    assert_equal [Set["x"], "words"], [map[:point][0].place, map[:error][0].message]
  end

  # CRuby 4.0.5 hangs when it walks a Set whose elements are not shareable yet while other Ractors allocate.
  def test_sets_cross_while_other_ractors_allocate
    skip_without_ractors
    ruby!(<<~RUBY, seconds: 60, env: Waiting::NATIVE_THREADS)
      require "ratomic"
      stop = Ratomic::Counter.new
      busy = Array.new(2) { Ractor.new(stop) { |over| Array.new(50) { |n| { n => "text \#{n}" } } while over.zero? } }
      map = Ratomic::Map.new
      make = Ractor.shareable_proc { |n| [Set[+"a", [n, +"b"]], { n => Set[Set[+"c"]] }] }
      pool = Ratomic::Workers::Pool.new(size: 1, min_batch: 0)
      until (rounds = (rounds || 0) + 1) > 300
        map[:key] = [Set[+"a", [+"b", [rounds]]], { key: Set[Array.new(20) { |n| "x \#{n}" }] }]
        map[:frozen] = Set["a \#{rounds}".freeze, ["b \#{rounds}"].freeze].freeze
        Ratomic::FrozenCopy.shareable?(Set[[+"x"].freeze].freeze) and abort "wrong"
      end
      results = pool.dispatch_async((1..2_000).to_a, make).value!(timeout: 50)
      results.each_with_index { |result, n| abort "lost" unless result[0].include?([n + 1, "b"]) }
      stop.increment
      busy.each(&:join)
    RUBY
  end
end
