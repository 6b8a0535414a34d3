# frozen_string_literal: true

require "test_helper"

class SharingTest < Minitest::Test
  Sharing = Ratomic::Workers::Sharing
  Point = Struct.new(:x, :y)

  def test_plain_data_is_frozen_and_shareable_afterwards
    data = { "list" => [1, 2.5, nil, :a, 2**80, +"text"], "point" => Point.new(1, 2).freeze }
    refute Sharing.deep_frozen?(data)
    assert Sharing.deep_freeze(data)
    assert_predicate data["list"].last, :frozen?
    assert Sharing.deep_frozen?(data)
    assert Ractor.shareable?(data)
  end

  def test_objects_that_are_no_plain_data_are_left_to_ruby
    odd = +"odd"
    odd.instance_variable_set(:@note, [])
    [odd, Thread.current, Class.new(Array).new, Hash.new { 1 }, [].tap { |list| list << list }].each do |other|
      refute Sharing.deep_freeze([other]), other.inspect
    end
  end

  def test_a_snapshot_is_frozen_and_has_copies_of_plain_data
    text = +"text"
    odd = +"odd"
    odd.instance_variable_set(:@note, [])
    own = Class.new(String).new("own")
    list = [text, "literal", odd, own, 1, nil, ["list"], "x" * 2_000]
    taken = Sharing.snapshot(list, 8)
    assert_equal [list, true, false], [taken, taken.frozen?, list.frozen?]
    assert_equal [true, true, false, false], taken.first(4).map(&:frozen?)
    assert_equal [1, 2, 3].map { |place| list[place].object_id }, [1, 2, 3].map { |place| taken[place].object_id }
    assert_equal [true, false], [taken[6], list[6]].map { |item| Sharing.deep_frozen?(item) }
    refute_predicate text << "!", :frozen?
    assert_equal ["text", Encoding::UTF_8], [taken[0], taken[0].encoding]
    assert Sharing.deep_frozen?([taken[0], taken.last].freeze), "no text is shared"
  end

  def test_a_snapshot_of_what_needs_none_is_the_same
    [[1, "a"].freeze, [].freeze, 1.step, "text", nil, [1] * 300].each do |items|
      assert_same items, Sharing.snapshot(items, 256)
    end
    assert_equal Encoding::BINARY, Sharing.snapshot([+"binary".b].freeze, 1)[0].encoding
    assert_equal ["x" * 100_000, "é\xFF"], Sharing.snapshot(["x" * 100_000, "é\xFF"], 2)
    assert_equal ["binary".b].freeze, Sharing.snapshot([+"binary".b].freeze, 1)
  end

  def test_a_list_with_room_does_not_grow
    require "objspace"
    [0, 1, 10, 1000].each do |count|
      list = Sharing.room(count)
      assert_equal [], list
      memory = ObjectSpace.memsize_of(list)
      count.times { |number| list << number }
      assert_equal [memory, count], [ObjectSpace.memsize_of(list), list.size]
    end
  end

  # The number is in an object of its own, which only Ruby can note as shareable.
  def test_objects_with_an_object_id_are_left_to_ruby
    ruby!(<<~RUBY)
      require "ratomic"
      kept = [+"text", [1], { a: 1 }, 2**90, Object.new.freeze, [[+"nested"]]]
      kept.each { |object| (Array === object ? object.flatten[0] : object).object_id && object.object_id }
      kept.each { |object| Ratomic::Workers::Sharing.deep_freeze(object) }
      map = Ratomic::Map.new
      kept.each { |object| map[object] = object }
      GC.verify_internal_consistency
    RUBY
  end

  # Ruby 4.0 puts the variables of an object into a table, and does not count them, if those of its class came in too
  # many different ways. It is a process of its own: the class is String, and stays like that.
  def test_objects_with_variables_in_a_table_have_variables
    ["", "walk"].each { |way| ruby!(VARIABLES_IN_A_TABLE, env: { "RATOMIC_SHAREABLE" => way }) }
  end

  VARIABLES_IN_A_TABLE = <<~RUBY
    require "ratomic"
    Point = Struct.new(:x)
    make = -> { [+"text", "x" * 1000, [1], { a: 1 }, Point.new(1)] }
    40.times { |way| make.call.each { |object| object.instance_variable_set("@note_\#{way}", 1) } }
    noted = -> { make.call.each { |object| object.instance_variable_set(:@note, [+"changes"]) } }
    map = Ratomic::Map.new
    noted.call.each(&:freeze).each do |object|
      raise "shared with what changes: \#{object}" if Ratomic::Workers::Sharing.deep_frozen?(object)
      map[:value] = object
      raise "kept as it was: \#{object}" unless map[:value].instance_variable_get(:@note).frozen?
    end
    key = noted.call[0]
    map[key] = 1
    raise "the caller's key was frozen" if key.frozen? || !Ractor.shareable?(map.keys.last)
    noted.call.each do |object|
      raise "lost: \#{object}" unless Ratomic::FrozenCopy.of(object).instance_variable_get(:@note) == ["changes"]
      raise "no plain data: \#{object}" if Ratomic::Workers::Processes::PlainData.frame("x", object)
    end
  RUBY
  private_constant :VARIABLES_IN_A_TABLE

  # Which one this Ruby takes by itself is decided when the extension is loaded. "function" is "walk" where there is no
  # such function.
  def test_every_way_to_note_that_an_object_is_shareable_has_the_same_outcome
    outcomes = ["", "function", "walk"].map { |way| ruby!(EACH_KIND, env: { "RATOMIC_SHAREABLE" => way }) }
    assert_equal 1, outcomes.uniq.size, outcomes.join("\n")
    assert_equal %w[true] * 10 + %w[false] * 2, outcomes[0].split
  end

  # Each level is twice in the next one: a walk that notes nothing would look into the first one 2 ** 60 times.
  def test_shared_parts_are_looked_into_once
    ["", "walk"].each { |way| ruby!(SHARED_PARTS, env: { "RATOMIC_SHAREABLE" => way }) }
  end

  SHARED_PARTS = <<~RUBY
    require "ratomic"
    sharing = Ratomic::Workers::Sharing
    frozen = 60.times.inject(["text".freeze].freeze) { |inner, _| [inner, inner].freeze }
    raise "not frozen" unless sharing.deep_frozen?(frozen)
    raise "not shareable" unless Ractor.shareable?(frozen)
    open = 60.times.inject([+"text"]) { |inner, _| { a: inner, b: inner } }
    raise "frozen" if sharing.deep_frozen?(open)
    raise "not done" unless sharing.deep_freeze(open)
    raise "not shareable" unless Ractor.shareable?(open)
    bad = 60.times.inject([Thread.current].freeze) { |inner, _| [inner, inner].freeze }
    raise "shared" if sharing.deep_freeze(bad)
    raise "a tree" if sharing.plain_tree?(60.times.inject([+"text"].freeze) { |inner, _| [inner, inner].freeze })
    sharing.plain_tree?(60.times.inject(["text".freeze].freeze) { |inner, _| [inner, inner].freeze })
  RUBY
  private_constant :SHARED_PARTS

  # What a walk has still to visit is in Rust's memory, and must be pinned.
  def test_a_compaction_at_any_allocation_moves_nothing_that_a_walk_has_still_to_visit
    skip "this Ruby does not compact by itself" unless GC.respond_to?(:auto_compact=)
    ["", "walk"].each do |way|
      assert_equal "[true, true, false, false]\n", ruby!(COMPACTING_WALKS, env: { "RATOMIC_SHAREABLE" => way })
    end
  end

  # The Arrays at the end of each graph are made behind much that is garbage then, so that a compaction moves them. The
  # methods that are included last change Hash: its methods are looked up again at the next call.
  COMPACTING_WALKS = <<~RUBY
    require "ratomic"
    sharing = Ratomic::Workers::Sharing
    twice = Object.new.freeze
    garbage = Array.new(20_000) { [+"garbage"] }
    movable = ->(*first) { first + Array.new(500) { [+"text"] } }
    graphs = [movable.(2**70, {}), movable.([twice], [twice]), movable.({ [1] => 1 }, {}), movable.({ [+"a"] => 1 })]
    garbage = nil
    asked = %i[plain_tree? plain_tree? odd? too_deep?]
    GC.auto_compact = true
    answers = asked.zip(graphs).map do |question, graph|
      Hash.include(Module.new { def default; end; def default_proc; end; def compare_by_identity?; end })
      GC.stress = true
      sharing.public_send(question, graph)
    ensure
      GC.stress = false
    end
    p answers
  RUBY
  private_constant :COMPACTING_WALKS

  EACH_KIND = <<~RUBY
    require "ratomic"
    Point = Struct.new(:x, :y)
    plain = [+"text", "x" * 100, [1, [2.5, 2**80]], [nil] * 100, { "a" => { b: +"c" } }, Point.new([1].freeze, 2).freeze,
             ("y" * 100)[1..], Object.new.freeze]
    other = [Hash.new(+"mutable"), Class.new(Array).new([+"a"]), Hash.new { 1 }, [Thread.current]]
    (plain + other).each do |object|
      Ratomic::Workers::Sharing.deep_freeze(object) || Ractor.make_shareable(object)
      puts Ractor.shareable?(object)
    rescue StandardError
      puts false
    end
    map = Ratomic::Map.new
    plain.each { |object| map[object] = object }
    abort "not all are shareable" unless Ractor.shareable?(map) && map.values.all? { |value| Ractor.shareable?(value) }
    GC.verify_internal_consistency
  RUBY
  private_constant :EACH_KIND

  # To freeze it raises, which must not happen in the midst of a native walk.
  def test_a_string_that_a_native_call_uses_is_left_alone
    reader, writer = IO.pipe
    buffer = +"x" * 100
    thread = Thread.new { reader.read(200, buffer) }
    until_asleep(thread)
    refute Sharing.deep_freeze([1, { a: [buffer] }])
    refute_predicate buffer, :frozen?
    writer << ("y" * 200)
    assert thread.join(5)
    assert_equal 200, buffer.size
  ensure
    [reader, writer].each(&:close)
  end
end
