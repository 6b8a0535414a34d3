# frozen_string_literal: true

require "test_helper"
require "support/odd_keys"

# Keys are found as Hash finds them.
class MapKeysTest < Minitest::Test
  Point = Struct.new(:x, :y)
  Text = Class.new(String)
  NAN = 0.0 / 0.0

  def setup
    @map = Ratomic::Map.new
  end

  def test_every_kind_of_key_is_found_as_in_hash
    kinds.product(kinds) do |stored, asked|
      hash = { stored => :found }
      map = Ratomic::Map.new
      map[stored] = :found
      assert_same hash[asked].nil?, map[asked].nil?, "#{stored.inspect} stored, #{asked.inspect} asked for"
      assert_equal hash.key?(asked), map.key?(asked)
    end
  end

  def test_keys_of_all_kinds_can_be_in_one_map
    hash = {}
    kinds.each_with_index { |key, place| @map[key] = hash[key] = place }
    assert_equal hash.size, @map.size
    hash.each { |key, place| assert_equal place, @map[key], key.inspect }
  end

  def test_keys_of_data_classes_are_compared_by_their_members
    skip "needs Data (Ruby 3.2 or newer)" unless defined?(Data.define)
    coordinate = Data.define(:x, :y)
    @map[coordinate.new(x: 1, y: "two")] = :found
    assert_equal :found, @map[coordinate.new(x: 1, y: +"two")]
    assert_nil @map[coordinate.new(x: 1.0, y: "two")]
  end

  def test_a_string_key_is_copied_and_frozen_and_the_callers_own_stays_as_it_was
    key = +"key"
    @map[key] = 1
    refute_predicate key, :frozen?
    key << " changed"
    assert_equal [1, nil], [@map["key"], @map["key changed"]]
    assert_equal ["key"], @map.keys
    assert(@map.keys.all?(&:frozen?))
  end

  def test_a_frozen_string_key_stays_the_same_object
    key = "a frozen key #{rand}".freeze
    @map[key] = 1
    assert_same key, @map.keys.first
  end

  def test_a_string_key_with_instance_variables_is_copied_too
    key = +"key"
    key.instance_variable_set(:@note, [1])
    @map[key] = 1
    refute_predicate key, :frozen?
    refute_predicate key.instance_variable_get(:@note), :frozen?
    assert Ractor.shareable?(@map.keys.first)
    assert_equal 1, @map["key"]
  end

  def test_a_write_with_an_equal_key_keeps_the_first_key_object
    first = "a key #{rand}".freeze
    @map[first] = 1
    @map[first.dup] = 2
    assert_same first, @map.keys.first
    assert_equal 2, @map[first]
  end

  def test_a_mutable_array_key_is_copied_and_a_later_change_of_it_does_not_matter
    key = [+"a", [1]]
    @map[key] = 1
    key << 2
    key.first << "b"
    assert_equal [1, nil], [@map[["a", [1]]], @map[key]]
    assert Ractor.shareable?(@map.keys.first)
  end

  def test_a_mutable_struct_key_is_copied_and_a_later_change_of_it_does_not_matter
    key = Point.new(1, +"y")
    @map[key] = 1
    key.x = 2
    assert_equal [1, nil], [@map[Point.new(1, "y")], @map[key]]
  end

  def test_a_key_that_its_block_changes_is_stored_unchanged
    key = [1]
    text = +"text"
    @map.compute(key) { key << 2 && :value }
    @map.compute(text) { text << "!" && :value }
    assert_equal [:value, :value, nil, nil], [@map[[1]], @map["text"], @map[key], @map[text]]
  end

  def test_a_string_that_another_thread_changes_while_it_waits_to_be_stored_is_refused
    gate = Thread::Queue.new
    owner = Thread.new { @map.compute("text") { break gate.pop } }
    until_asleep(owner)
    key = +"text"
    writer = Thread.new { assert_raises(ThreadError) { @map[key] = 1 } }
    until_asleep(writer)
    key << "!"
    gate << 1
    assert_match(/changed to "text!"/, within(10) { writer.value }.message)
    assert_equal 1, owner.value
    assert_empty @map.to_h
  end

  # Calls the thread-local `:after_eql` once, after its comparison.
  Renamable = Struct.new(:name) do
    def eql?(other)
      super.tap { Thread.current[:after_eql]&.tap { Thread.current[:after_eql] = nil }&.call }
    end
  end

  # The comparison with the copy is the last of the writer's own code before it finds the key claimed.
  def test_a_key_that_another_thread_changes_after_it_was_copied_is_not_stored_twice
    gate, waits = Array.new(2) { Thread::Queue.new }
    owner = nil
    claim = lambda do
      owner = Thread.new { @map.compute(Renamable.new("text")) { break gate.pop } && @map[Renamable.new("text")] = 1 }
      until_asleep(owner)
      waits << true
    end
    key = Renamable.new(+"text")
    writer = Thread.new { (Thread.current[:after_eql] = claim) && @map[key] = 2 }
    waits.pop
    until_asleep(writer)
    key.name << "!"
    gate << true
    within(10) { [owner, writer].each(&:join) }
    assert_equal(["text"], @map.keys.map(&:name))
  ensure
    gate&.close
  end

  # 32 codes for 32 shards: some of them come into one.
  def test_a_key_with_another_hash_is_another_key
    key = OddKeys::Shifting.new.freeze
    with = ->(code) { OddKeys::Shifting::CODE.reset(code) && key }
    codes = 1..32
    codes.each { |code| @map[with[code]] = code }
    codes.each { |code| @map.compute(with[code]) { |value| value + 100 } }
    codes.each { |code| assert_equal code + 100, @map[with[code]] }
    assert_equal 32, @map.size
  end

  # Integers and Floats have no hash of Ruby's with a random number in it.
  def test_where_keys_are_in_a_map_differs_from_process_to_process
    code = 'require "ratomic"; map = Ratomic::Map.new; 100.times { |key| map[key] = map[key / 2.0] = 1 }; p map.keys'
    keys = ->(env) { ruby!(code, env: env) }
    refute_equal keys[{}], keys[{}]
    seed = { "RATOMIC_HASH_SEED" => "7" }
    assert_equal keys[seed], keys[seed]
  end

  def test_strings_of_other_encodings_are_found_as_in_hash
    texts = ["é", "é".b, "é".encode("ISO-8859-1"), "é".encode("UTF-16LE"), "a", "a".b, "a".encode("UTF-16LE"),
             "a".encode("US-ASCII"), "\xff", "\xff".b, "", "".encode("UTF-16LE")]
    hash = {}
    texts.each_with_index { |text, place| @map[text] = hash[text] = place }
    assert_equal hash.size, @map.size
    texts.each { |text| assert_equal hash[text], @map[text], [text, text.encoding].inspect }
    assert_equal hash.keys.map(&:encoding).sort_by(&:name), @map.keys.map(&:encoding).sort_by(&:name)
  end

  def test_keys_of_a_string_subclass_are_compared_by_their_own_eql
    key = Text.new("text")
    @map[key] = 1
    assert_equal({ key => 1 }[Text.new("text")], @map[Text.new("text")])
    assert_equal({ key => 1 }["text"], @map["text"])
    refute_predicate key, :frozen?
  end

  def test_nan_is_found_only_as_the_same_object
    @map[NAN] = 1
    @map[0.0 / 0.0] = 2
    assert_equal [1, nil, 2], [@map[NAN], @map[0.0 / 0.0], @map.size]
  end

  def test_zero_and_minus_zero_are_compared_as_in_hash
    @map[0.0] = :zero
    assert_equal({ 0.0 => :zero }[-0.0].inspect, @map[-0.0].inspect)
    assert_nil @map[0]
  end

  def test_dynamic_symbols_survive_collections
    200.times { |number| @map[:"dynamic key #{number}"] = number }
    GC.start
    compact
    200.times { |number| assert_equal number, @map["dynamic key #{number}".to_sym] }
  end

  def test_keys_with_equal_hashes_are_distinguished
    keys = Array.new(100) { |number| OddKeys::Colliding.new(number) }
    keys.each { |key| @map[key] = key.number }
    assert_equal (0...100).to_a, keys.map { |key| @map[OddKeys::Colliding.new(key.number)] }
    keys.first(50).each { |key| @map.delete(key) }
    assert_equal [50, nil, 50], [@map.size, @map[keys[49]], @map[keys[50]]]
  end

  def test_a_key_compared_by_identity_must_be_shareable
    key = Object.new
    error = assert_raises(Ratomic::ShareableError) { @map[key] = 1 }
    assert_match(/Object/, error.message)
    assert_nil @map[key]
    key.freeze
    @map[key] = 1
    assert_equal 1, @map[key]
  end

  def test_a_key_that_cannot_be_shared_is_refused_naming_its_class
    { $stdin => "IO", Thread.current => "Thread", [$stdin] => "IO", Thread::Mutex.new => "Mutex" }.each do |key, name|
      error = assert_raises(Ratomic::ShareableError) { @map[key] = 1 }
      assert_includes error.message, name
    end
    assert_predicate @map, :empty?
  end

  private

  def kinds
    ["text", +"text", "other", "text".encode("UTF-16LE"), Text.new("text"), :text, :"dynamic #{1}", 1, 1.0, 1r, 1i, 2,
     2**62, 2**64, 2**64 + 1, -(2**64), (2**64).to_f, 0, 0.0, -0.0, NAN, Float::INFINITY, 1e-300, 1.5, nil, true, false,
     [], [1], [1.0], [[1], "text"],
     { a: 1 }, { "a" => [1] }, Point.new(1, 2), Point.new(1.0, 2), 1..2, 1.0..2.0, String,
     /text/, /text/i, OddKeys::Colliding.new(1), OddKeys::Colliding.new(2), "text".encode("US-ASCII"), "tex\u0301t"]
  end

  def compact
    GC.compact if GC.respond_to?(:compact)
  rescue NotImplementedError
    GC.start
  end
end
