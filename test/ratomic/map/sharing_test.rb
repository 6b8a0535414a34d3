# frozen_string_literal: true

require "test_helper"

# What becomes of values, and what another Ractor sees of them.
class MapSharingTest < Minitest::Test
  def setup
    @map = Ratomic::Map.new
  end

  def test_a_mutable_string_list_and_table_are_frozen_copies_in_another_ractor_and_the_callers_stay_as_they_were
    skip_without_ractors
    values = { text: +"text", list: [+"a", [1]], table: { "key" => +"value" } }
    values.each { |key, value| @map[key] = value }
    seen = in_ractor(@map) do |map|
      %i[text list table].to_h { |key| [key, [map[key], map[key].frozen?, Ractor.shareable?(map[key])]] }
    end
    values.each do |key, value|
      assert_equal [value, true, true], seen[key]
      refute_predicate value, :frozen?
    end
    refute_predicate values[:list].first, :frozen?
    values[:text] << " changed"
    assert_equal "text", @map[:text]
  end

  def test_no_method_stores_a_mutable_object
    inside = -> { [+"mutable"] }
    @map.set(:set, inside.call)
    @map.compute(:compute) { inside.call }
    @map.upsert(:upsert, inside.call) { flunk }
    @map.upsert(:upsert, 1) { inside.call }
    @map.fetch_or_store(:store) { inside.call }
    @map.fetch_and_modify(:store) { inside.call }
    @map.append(:append, inside.call)
    @map.add_to_set(:add, inside.call)
    @map.compare_and_set(:swap, nil, inside.call)
    @map[inside.call] = 1
    assert_equal 8, @map.size
    @map.each_pair { |key, value| assert Ractor.shareable?([key, value].freeze), key.inspect }
  end

  def test_shareable_objects_are_not_copied
    ["frozen", 10**30, [1, [2]], 1.5, Ratomic::Counter.new, String].each do |value|
      Ractor.make_shareable(value)
      @map[:a] = value
      assert_same value, @map[:a]
    end
  end

  def test_an_io_a_thread_and_a_proc_that_captures_something_mutable_raise_naming_the_class
    captured = +"mutable"
    [[$stdout, "IO"], [Thread.current, "Thread"], [proc { captured }, "Proc"], [[[$stdout]], "IO"],
     [{ key: Thread.current }, "Thread"], [Struct.new(:io).new($stdin), "IO"]].each do |value, name|
      [-> { @map[:a] = value }, -> { @map.compute(:a) { value } }, -> { @map.upsert(:a, value) { 1 } },
       -> { @map.fetch_or_store(:a) { value } }, -> { @map.append(:a, value) },
       -> { @map.compare_and_set(:a, nil, value) }]
        .each { |store| assert_includes assert_raises(Ratomic::ShareableError, &store).message, name }
    end
    assert_predicate @map, :empty?
  end

  def test_an_object_that_holds_an_io_in_a_variable_is_refused_and_no_descriptor_is_opened
    holder = Object.new
    holder.instance_variable_set(:@io, $stdout)
    before = File.directory?("/proc/self/fd") ? Dir.children("/proc/self/fd").size : 0
    20.times { assert_raises(Ratomic::ShareableError) { @map[:a] = holder } }
    assert_equal before, Dir.children("/proc/self/fd").size unless before.zero?
    refute_predicate holder, :frozen?
  end

  def test_a_value_that_contains_itself_is_stored
    circle = []
    circle << circle
    @map[:a] = circle
    assert_same @map[:a], @map[:a].first
    assert_predicate @map[:a], :frozen?
  end

  def test_a_value_with_too_many_levels_is_refused_with_a_message
    [[->(inner) { [inner] }, "Array"], [->(inner) { { a: inner } }, "Hash"]].each do |wrap, name|
      deep = (1..200_000).inject(nil) { |inner, _| wrap.call(inner) }
      [-> { @map[:a] = deep }, -> { @map.compute(:a) { deep } }, -> { @map.append(:a, deep) },
       -> { Ratomic::Queue.new(1) << deep }].each do |store|
        said = assert_raises(Ratomic::ShareableError, &store).message
        assert_match(/#{name}.*too deep/, said)
      end
    end
    assert_predicate @map, :empty?
  end

  def test_four_ractors_compute_on_fifty_shared_keys_while_the_heap_is_collected_all_the_time
    skip_without_ractors
    steps = Ratomic::Counter.new
    ractors = Array.new(4) do |number|
      Ractor.new(@map, steps, number) do |map, counter, seed|
        random = Random.new(seed)
        500.times do
          map.compute("key #{random.rand(50)}") { |value| [value ? value.first + 1 : 1, "garbage #{random.rand}"] }
          counter.increment
        end
      end
    end
    within(120) { collect_at_every_step(steps, 2_000) }
    ractors.each(&:value)
    assert_equal 50, @map.size
    assert_equal 2_000, @map.values.sum(&:first)
  end

  def test_a_moved_object_is_refused_at_any_depth
    skip_without_ractors
    port = Ractor::Port.new
    port.send(gone = +"", move: true)
    map = Ratomic::Map.new
    queue = Ratomic::Queue.new(1)
    [gone, [gone], { a: [gone] }].each do |object|
      [-> { map[:a] = object }, -> { map.compute(:a) { object } }, -> { queue.push(object) }].each do |store|
        assert_includes assert_raises(Ratomic::ShareableError, &store).message, "Ractor::MovedObject"
      end
    end
    assert_equal [0, 0], [map.size, queue.size]
  ensure
    port&.close
  end
end
