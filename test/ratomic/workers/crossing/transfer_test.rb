# frozen_string_literal: true

require "test_helper"

class TransferTest < Minitest::Test
  Transfer = Ratomic::Workers::Transfer
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

  def test_a_string_with_something_unshareable_hanging_on_it_is_refused
    text = +"text"
    text.instance_variable_set(:@hook, Thread.current)
    refused = Transfer.pack([text])[0]
    assert_instance_of Transfer::Refused, refused
    assert_match(/@hook/, refused.failure.message)
  end

  def test_what_cannot_cross_leaves_a_hole_that_says_why
    File.open(__FILE__) do |file|
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
          assert_same deep, Transfer.seal([deep], 0)[0]
        end.resume
      end
    end
  end

  def test_what_has_more_levels_is_refused_and_does_no_harm
    within(20) do
      [[], [].freeze].product([1_002, 200_000]).each do |inner, levels|
        deep = levels.times.inject(inner) { |outer, _| inner.frozen? ? [outer].freeze : [outer] }
        packed = Transfer.pack([1, deep])
        sealed = Transfer.seal([1, deep], 5)
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

  def test_whatever_an_object_does_when_it_is_frozen_or_copied_stays_with_it
    [-> { raise NotImplementedError }, -> { raise Exception }, -> { exit }].each do |way| # rubocop:disable Lint/RaiseException
      packed = within(5) { Transfer.pack([1, Wild.new(&way), +"a"]) } # not in the main thread, see Foreign
      sealed = within(5) { Transfer.seal([1, Wild.new(&way), +"a"], 0) }
      [packed[1].failure, sealed[1]].each { |failure| assert_equal "Ratomic::ShareableError", failure.exception_class }
      [packed, sealed].each { |list| assert_equal [1, "a"], list.values_at(0, 2) }
    end
  end

  def test_what_another_thread_raises_is_not_taken_for_an_items
    skip_unless_copies_are_initialized
    caller = Thread.current
    once = [true]
    pending = Wild.new { once.pop && caller.raise(KeyError, "from outside") }
    packed = nil
    assert_raises(KeyError) { packed = Transfer.pack([pending, +"a"]) }
    assert_nil packed
  end

  def test_results_are_frozen_where_they_stand
    text = +"text"
    results = [1, text, { list: [text] }]
    sealed = Transfer.seal(results, 0)
    assert Ractor.shareable?(sealed)
    assert_same text, sealed[1]
  end

  def test_a_result_that_cannot_be_frozen_leaves_its_neighbours_alone
    file = File.open(__FILE__)
    sealed = Transfer.seal([+"a", Holder.new(file), Thread.current, +"b"], 10)
    assert_equal %w[a b], sealed.values_at(0, 3)
    assert_equal [11, 12], sealed[1..2].map(&:index)
    assert_match(/@inner/, sealed[1].message)
    refute_predicate file, :frozen?
  ensure
    file.close
  end
end
