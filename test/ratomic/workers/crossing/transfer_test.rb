# frozen_string_literal: true

require "test_helper"
require "singleton"

class TransferTest < Minitest::Test
  Transfer = Ratomic::Workers::Transfer
  ResultFreezer = Ratomic::Workers::ResultFreezer
  Plain = Struct.new(:list)

  # Has something in it that no other Ractor may have.
  class Holder
    def initialize(inner)
      @inner = inner
    end
  end

  def test_a_shareable_list_goes_as_it_is
    items = [1, "two", :three].freeze
    assert_same items, Transfer.pack(items)
  end

  def test_a_list_of_shareable_items_is_not_frozen_for_the_caller
    items = [1, "two".dup.freeze]
    packed = Transfer.pack(items)
    refute_same items, packed
    refute_predicate items, :frozen?
    assert_same items[1], packed[1]
    assert Ractor.shareable?(packed)
  end

  def test_a_mutable_item_is_copied
    items = [+"text", [+"nested"], Plain.new([+"member"]), 4]
    packed = Transfer.pack(items)
    assert_equal items, packed
    assert Ractor.shareable?(packed)
    refute_predicate items[2].list[0], :frozen?
    refute_instance_of Transfer::Holed, packed
  end

  # What Rails, CDC and ERB pages have.
  class Row
    attr_reader :fields

    def initialize(fields)
      @fields = fields
    end
  end

  # Its copy is to be made by its own method.
  Counted = Struct.new(:list) do
    def initialize_copy(other)
      super
      self.list = other.list + ["copied"]
    end
  end

  Hasty = Struct.new(:list) do
    def freeze
      list << "frozen"
      super
    end
  end

  def test_items_that_are_not_frozen_cost_hardly_more_objects_than_their_copies
    made = { 11 => ->(i) { Array.new(10) { |j| +"#{i} #{j}" } }, 1 => ->(i) { { id: i, sum: i } },
             2 => ->(i) { Plain.new({ id: i }) }, 3 => ->(i) { Row.new({ id: i.to_s }) } }
    made.each do |objects, make|
      items = Array.new(300, &make)
      packed = Transfer.pack(items) # once before: what is looked up for the first time
      assert Ractor.shareable?(packed), objects
      before = GC.stat(:total_allocated_objects)
      Transfer.pack(items)
      assert_operator GC.stat(:total_allocated_objects) - before, :<, (300 * (objects + 3)) + 100
    end
  end

  def test_copies_have_all_that_the_items_have_and_the_callers_own_stay
    list = [+"a", ["b", +"c"], { "key" => [+"d"], 2.5 => { e: nil } }, Plain.new([+"f"]), Row.new({ g: [+"h"] }),
            { {} => 1 }, [Row.new(+"i")], 10**30, +"long" * 10_000, "j".dup.force_encoding("BINARY")]
    packed = Transfer.pack(list)
    assert Ractor.shareable?(packed)
    shown = ->(items) { items.map { |item| Row === item ? item.fields : item }.values_at(0, 1, 2, 3, 4, 5, 7, 8, 9) }
    assert_equal shown.call(list), shown.call(packed)
    assert_equal "i", packed[6][0].fields
    assert_equal Encoding::BINARY, packed[9].encoding
    assert_equal [Row, Plain], [packed[4].class, packed[3].class]
    [list, *list, list[1][1], list[2]["key"][0], list[3].list[0], list[4].fields[:g][0]].each do |mine|
      refute_predicate mine, :frozen? unless Integer === mine
    end
  end

  # The copy takes over the bytes, and the original copies them when it is changed.
  def test_a_copy_of_a_long_string_stays_as_it_is_when_the_original_is_changed
    changes = [:upcase!, :clear, ->(text) { text << "more" }, ->(text) { text.setbyte(0, 0x62) },
               ->(text) { text.force_encoding("BINARY") }, ->(text) { text.replace("other" * 300) }]
    changes.each do |change|
      text = "é" * 2001
      first = Transfer.pack([text])[0]
      again = Transfer.pack([[text]])[0][0] # of one that has given its bytes away
      change.to_proc.call(text)
      assert_equal [["é" * 2001, Encoding::UTF_8]] * 2, [first, again].map { |copy| [copy, copy.encoding] }
      changed = Transfer.pack([text])[0]
      assert_equal [text, text.encoding, true], [changed, changed.encoding, Ractor.shareable?(changed)]
      refute_predicate text, :frozen?
    end
  end

  # Its id is in a side table, where the VM would have to note it as shareable too. So where its flag is set without the
  # VM, a copy of it goes. In a program of its own: once there were Ractors, the VM notes it when its id is asked for.
  def test_a_frozen_string_whose_id_was_asked_for_is_copied_where_the_vm_is_not_asked
    out = ruby!(<<~RUBY)
      require "ratomic"
      texts = [10, 2000].map { |size| ("x" * size).freeze.tap(&:object_id) }
      packed = Ratomic::Workers::Transfer.pack(texts)
      p packed == texts, packed.zip(texts).map { |copy, text| copy.equal?(text) }
    RUBY
    asked = Ratomic::HEAP_PER_RACTOR || !ENV["RATOMIC_SHAREABLE"].to_s.empty?
    assert_equal "true\n#{[asked] * 2}\n", out
  end

  def test_a_copy_of_a_part_of_a_long_string_is_shareable
    parts = [("abc" * 2000)[3000..], ("abc" * 2000)[0, 3000]]
    packed = Transfer.pack(parts)
    assert_equal [parts, true], [packed, packed.all? { |part| Ractor.shareable?(part) }]
    parts.each { |part| part << "d" }
    assert_equal ["abc" * 1000] * 2, packed
  end

  def test_a_copy_keeps_no_memory_that_the_original_has_to_spare
    require "objspace"
    text = String.new(capacity: 1_000_000) << ("x" * 2000)
    assert_operator ObjectSpace.memsize_of(Transfer.pack([text])[0]), :<, 10_000
  end

  # The call writes to the bytes that it was given, whoever has them by then.
  def test_a_string_into_which_a_native_call_reads_keeps_its_bytes
    reader, writer = IO.pipe
    buffer = "x" * 2000
    thread = Thread.new { reader.read(2000, buffer) }
    until_asleep(thread)
    copy = Transfer.pack([buffer])[0]
    writer << ("y" * 2000)
    assert thread.join(5)
    assert_equal [["y", 2000], ["x", 2000]], [buffer, copy].map { |text| [text.squeeze, text.size] }
  ensure
    [reader, writer].each(&:close)
  end

  def test_what_an_item_refers_to_twice_is_one_object_in_its_copy
    twice = +"twice"
    ring = []
    ring << ring
    row = [twice, { again: twice }, Plain.new(twice)]
    packed = Transfer.pack([row, row, ring, [twice]])
    assert Ractor.shareable?(packed)
    assert_same packed[0][0], packed[0][1][:again]
    assert_same packed[0][0], packed[0][2].list
    assert_same packed[2], packed[2][0]
    refute_same twice, packed[3][0]
  end

  # Where a graph has more than a few objects, they are remembered in another way.
  def test_what_is_met_again_after_many_others_is_one_object_in_the_copy
    [1, 14, 15, 16, 17, 40].each do |others|
      twice = +"twice"
      packed = Transfer.pack([[twice, *Array.new(others) { |number| +"other #{number}" }, twice], [twice]])
      assert_equal [others + 2, "twice"], [packed[0].size, packed[0].last]
      assert_same packed[0].first, packed[0].last, others
      refute_same packed[0].first, packed[1].first
    end
  end

  # Elements are stored some at a time.
  def test_copies_of_lists_have_all_elements_in_their_order
    [0, 1, 15, 16, 17, 32, 33, 100].each do |count|
      lists = [Array.new(count) { |number| +"text #{number}" }, Array.new(count) { |number| [number] }]
      lists.each { |list| assert_equal [list, [list]], [Transfer.pack(list), Transfer.pack([list])] }
      assert Ractor.shareable?(Transfer.pack(lists))
    end
  end

  # Ruby loads an encoding when it is used for the first time, and Ruby 3.1 can hang there once there was a Ractor. So
  # these are used when this file is loaded, before any test.
  ENCODINGS = [Encoding::UTF_16LE, Encoding::Windows_1252, Encoding.list.last].each do |encoding|
    "xx".dup.force_encoding(encoding).valid_encoding?
  end.freeze

  def test_copies_of_short_strings_have_their_encoding
    texts = [+"plain", +"\xff", +"", *ENCODINGS.map { |encoding| "xx".dup.force_encoding(encoding) }]
    packed = Transfer.pack([texts])[0]
    assert_equal texts.map { |text| [text, text.encoding, text.valid_encoding?] },
                 (packed.map { |text| [text, text.encoding, text.valid_encoding?] })
    assert packed.all?(&:frozen?)
    refute texts.any?(&:frozen?)
  end

  # As a subclass, and as an object, of its own.
  class Copied < Row
    def initialize_clone(other)
      super
      @fields = other.fields + ["cloned"]
    end
  end

  module Frosty
    def freeze
      fields << "frozen"
      super
    end
  end

  def test_methods_that_structs_and_objects_override_are_called
    skip_unless_copies_are_initialized
    packed = Transfer.pack([Counted.new(["a"]), Hasty.new([+"b"]), Plain.new([+"c"])])
    assert Ractor.shareable?(packed)
    assert_equal [%w[a copied], %w[b frozen], %w[c]], packed.map(&:list)
    packed = Transfer.pack([Copied.new(["a"]), Row.new([+"b"]).extend(Frosty), Row.new([+"c"])])
    assert Ractor.shareable?(packed)
    assert_equal [%w[a cloned], %w[b frozen], %w[c]], packed.map(&:fields)
  end

  def test_objects_are_copied_with_their_instance_variables
    row = Row.new([+"a"])
    row.instance_variable_set(:@self, row)
    several = Row.new(Row.new(Plain.new(Row.new([+"deep"]))))
    40.times { |i| several.instance_variable_set(:"@v#{i}", [i]) }
    ids = [row, several].map(&:object_id)
    packed = Transfer.pack([row, several, [several, { row: Row.new(nil) }]])
    assert Ractor.shareable?(packed)
    assert_same packed[0], packed[0].instance_variable_get(:@self)
    assert_equal "deep", packed[1].fields.fields.list.fields[0]
    assert_equal several.instance_variables, packed[1].instance_variables
    assert_equal [39], packed[1].instance_variable_get(:@v39)
    assert_empty ids & packed.first(2).map(&:object_id)
    refute_predicate several.fields.fields, :frozen?
  end

  def test_parts_that_only_ruby_methods_reach_are_copied_too
    File.open(__FILE__, encoding: "UTF-8") do |file|
      hash = Hash.new(file)
      packed = Transfer.pack([[+"a"], hash, Row.new([+"b"]), hash.method(:fetch), Row.new([+"c"])])
      assert_equal [1, 3], packed.grep(Transfer::Refused).map { |hole| hole.failure.index }
      assert_match(/default \(an instance of File\)/, packed[1].failure.message)
      assert_equal [["a"], ["b"], ["c"]], [packed[0], packed[2].fields, packed[4].fields]
      assert_match(/test/, file.read)
    end
  end

  def test_a_singleton_is_not_copied
    only = Class.new(Struct.new(:list)) { include Singleton }.instance
    only.list = [+"mine"]
    packed = Transfer.pack([only, Plain.new([+"a"]), Plain.new([+"b"])])
    assert_equal [Transfer::Refused, Plain, Plain], packed.map(&:class)
    refute_predicate only, :frozen?
  end

  def test_an_item_that_cannot_cross_does_not_affect_the_others
    items = Array.new(20) { |i| i == 7 ? Holder.new([Thread.current]) : Row.new([i.to_s]) }
    packed = Transfer.pack(items)
    assert_equal [7], packed.grep(Transfer::Refused).map { |hole| hole.failure.index }
    assert_match(/@inner\[0\] \(an instance of Thread\)/, packed[7].failure.message)
    assert_equal(((0..19).to_a - [7]).map(&:to_s), packed.grep(Row).map { |row| row.fields[0] })
  end

  def test_a_string_with_an_unshareable_instance_variable_is_refused
    text = +"text"
    text.instance_variable_set(:@hook, Thread.current)
    refused = Transfer.pack([text])[0]
    assert_instance_of Transfer::Refused, refused
    assert_match(/@hook/, refused.failure.message)
  end

  def test_an_item_that_cannot_cross_is_replaced_by_the_reason
    File.open(__FILE__, encoding: "UTF-8") do |file|
      packed = Transfer.pack([1, Holder.new([file]), { in: $stdin }])
      assert_instance_of Transfer::Holed, packed
      assert_equal [1, 2], packed.grep(Transfer::Refused).map { |hole| hole.failure.index }
      assert_match(/@inner\[0\] \(an instance of File\)/, packed[1].failure.message)
      refute_predicate file, :frozen?
      refute_predicate $stdin, :frozen?
      assert_match(/test/, file.read)
    end
  end

  # Also where there is little stack: in a thread, or in a Fiber.
  def test_a_thousand_levels_cross
    [->(inner) { [inner] }, ->(inner) { { key: inner } }, ->(inner) { Struct.new(:inner).new(inner) }].each do |wrap|
      deep = 999.times.inject([+"text"]) { |inner, _| wrap.call(inner) }
      within(20) do
        Fiber.new do
          packed = Transfer.pack([deep])
          assert Ractor.shareable?(packed)
          refute_predicate deep, :frozen?
          assert_same deep, ResultFreezer.seal([deep], 0)[0]
        end.resume
      end
    end
  end

  def test_items_of_more_levels_are_refused_without_a_crash
    within(20) do
      [[], [].freeze].product([1_002, 200_000]).each do |inner, levels|
        deep = levels.times.inject(inner) { |outer, _| inner.frozen? ? [outer].freeze : [outer] }
        packed = Transfer.pack([1, deep])
        sealed = ResultFreezer.seal([1, deep], 5)
        assert_equal [1, 1], [packed[0], sealed[0]]
        [packed[1].failure, sealed[1]].each { |failure| assert_match(/nested too deeply/, failure.message) }
        assert_equal [1, 6], [packed[1].failure.index, sealed[1].index]
      end
    end
  end

  # Whose freezing or copying does that.
  class Wild
    def initialize(&way)
      @way = way
    end

    def freeze
      @way.call
    end

    def initialize_copy(_other)
      @way.call
    end
  end

  def test_an_object_that_raises_or_exits_when_it_is_copied_fails_alone
    [-> { raise NotImplementedError }, -> { raise Exception }, -> { exit }].each do |way| # rubocop:disable Lint/RaiseException
      packed = within(5) { Transfer.pack([1, Wild.new(&way), +"a"]) } # not in the main thread, see UserException
      sealed = within(5) { ResultFreezer.seal([1, Wild.new(&way), +"a"], 0) }
      [packed[1].failure, sealed[1]].each { |failure| assert_equal "Ratomic::ShareableError", failure.exception_class }
      [packed, sealed].each { |list| assert_equal [1, "a"], list.values_at(0, 2) }
    end
  end

  def test_an_exception_from_another_thread_is_not_taken_for_that_of_an_item
    skip_unless_copies_are_initialized
    caller = Thread.current
    once = [true]
    pending = Wild.new { once.pop && caller.raise(KeyError, "from outside") }
    packed = nil
    assert_raises(KeyError) { packed = Transfer.pack([pending, +"a"]) }
    assert_nil packed
  end
end
