# frozen_string_literal: true

require "test_helper"
require "set"
require "support/odd_keys"

class MapArraysAndSetsTest < Minitest::Test
  def setup
    @map = Ratomic::Map.new
  end

  def test_append_and_add_to_set_as_the_readme_shows
    assert_equal ["import"], @map.append("jobs", "import")
    assert_equal %w[import export], @map.append("jobs", "export")
    assert_equal Set["alpha"], @map.add_to_set("workers", "alpha")
    assert_equal Set["alpha"], @map.add_to_set("workers", +"alpha")
    assert_equal Set["alpha", "beta"], @map.add_to_set("workers", "beta")
  end

  def test_stored_arrays_and_sets_are_frozen_and_a_new_one_replaces_the_old
    first = @map.append(:list, 1)
    second = @map.append(:list, 2)
    assert_equal [[1], [1, 2]], [first, second]
    assert Ractor.shareable?(second)
    assert_same second, @map[:list]
    assert Ractor.shareable?(@map.add_to_set(:set, [+"text"]))
  end

  def test_a_mutable_element_is_copied_and_stays_as_it_was
    element = [+"text"]
    @map.append(:list, element)
    @map.add_to_set(:set, element)
    element.first << " changed"
    refute_predicate element, :frozen?
    assert_equal [[["text"]], Set[["text"]]], [@map[:list], @map[:set]]
  end

  def test_one_that_was_stored_is_extended
    list = [1]
    @map[:list] = list
    @map[:set] = Set[1]
    assert_equal [1, 2], @map.append(:list, 2)
    assert_equal Set[1, 2], @map.add_to_set(:set, 2)
    assert_equal [1], list
  end

  def test_a_value_of_another_class_raises_a_type_error_that_names_it_and_stays
    @map[:text] = "text"
    error = assert_raises(TypeError) { @map.append(:text, 1) }
    assert_match(/String/, error.message)
    assert_raises(TypeError) { @map.add_to_set(:text, 1) }
    @map[:list] = [1]
    assert_raises(TypeError) { @map.add_to_set(:list, 1) }
    assert_equal({ text: "text", list: [1] }, @map.to_h)
    assert_equal 1, within(5) { Thread.new { @map[:text] = 1 }.value }
  end

  def test_an_element_that_cannot_be_shared_is_refused_and_nothing_changes
    assert_raises(Ratomic::ShareableError) { @map.append(:list, $stdout) }
    assert_raises(Ratomic::ShareableError) { @map.add_to_set(:set, Thread.current) }
    assert_predicate @map, :empty?
  end

  def test_an_error_of_eql_in_a_set_is_raised_and_releases_the_claim
    @map.add_to_set(:set, OddKeys::Hooked.new("abc"))
    OddKeys::Hooked.calling(eql: ->(*) { raise "no eql" }) do
      assert_raises(RuntimeError) { @map.add_to_set(:set, OddKeys::Hooked.new("xyz")) }
    end
    assert_equal 2, within(5) { Thread.new { @map.add_to_set(:set, 1) }.value.size }
  end

  def test_concurrent_threads_lose_no_element
    threads = Array.new(4) do |thread|
      Thread.new { 200.times { |number| @map.append(:list, [thread, number]) && @map.add_to_set(:set, number) } }
    end
    within(60) { threads.each(&:join) }
    list = @map[:list]
    assert_equal 800, list.uniq.size
    4.times { |thread| assert_equal (0...200).to_a, list.select { |from, _| from == thread }.map(&:last) }
    assert_equal (0...200).to_set, @map[:set]
  end

  def test_concurrent_ractors_lose_no_element
    skip_without_ractors
    ractors = Array.new(4) do |number|
      Ractor.new(@map, number) do |map, from|
        200.times { |round| map.append("list", "#{from}:#{round}") && map.add_to_set("set", "element #{round % 10}") }
      end
    end
    within(60) { ractors.each(&:value) }
    assert_equal [800, 10], [@map["list"].uniq.size, @map["set"].size]
  end
end
