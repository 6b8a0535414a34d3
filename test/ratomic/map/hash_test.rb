# frozen_string_literal: true

require "test_helper"

# The reads that a Map has in common with a Hash answer as those of a Hash.
class MapHashTest < Minitest::Test
  HASHES = [{}, { a: 1, "b" => [1, { c: 2 }], nil => nil, 1.5 => { x: "y" } }, { a: nil }].freeze

  # Asked of a Hash and of a Map with the same pairs.
  # rubocop:disable Style/PreferredHashMethods, Style/SingleArgumentDig
  CALLS = {
    dig: [->(of) { [of.dig(:a), of.dig("b", 1, :c), of.dig(:none, 1), of.dig(1.5, :x)] }],
    values_at: [->(of) { of.values_at(:a, :none, nil) }, ->(of) { of.values_at }],
    fetch_values: [->(of) { of.fetch_values(:a, :none) { |key| [key] } }],
    slice: [->(of) { of.slice(:a, nil, :none) }],
    has_key?: [->(of) { [of.has_key?(:a), of.has_key?(nil), of.has_key?(:none)] }],
    value?: [->(of) { [of.value?(1.0), of.has_value?(nil), of.value?(:none)] }],
    key: [->(of) { [of.key(1.0), of.key([1, { c: 2 }]), of.key(:none)] }],
    count: [->(of) { [of.count, of.count([:a, 1]), of.count { |key, _value| key == :a }] }],
    any?: [lambda { |of|
      [of.any?, of.any?([:a, 1]), of.any? { |key, value| key && value }, of.any? { |pair| pair.is_a?(Array) }]
    }],
    all?: [->(of) { [of.all? { |key, _value| key }, of.none?, of.one?] }],
    to_h: [->(of) { of.to_h }, ->(of) { of.to_h { |key, value| [value, key] } }],
    select: [->(of) { of.select { |_key, value| value } }, ->(of) { of.filter { |key, _value| key == :a } }],
    reject: [->(of) { of.reject { |_key, value| value } }],
    compact: [lambda(&:compact)],
    find: [->(of) { of.find { |key, _value| key == :a } }],
    include?: [->(of) { [of.include?(:a), of.member?([:a, 1])] }],
    map: [->(of) { of.map { |key, value| [value, key] }.sort_by(&:inspect) }],
    filter_map: [->(of) { of.filter_map { |key, value| key if value }.sort_by(&:inspect) }],
    flat_map: [->(of) { of.flat_map { |key, value| [key, value] }.sort_by(&:inspect) }],
    reduce: [->(of) { of.reduce(0) { |sum, (_key, value)| sum + value.to_s.size } }],
    sum: [->(of) { of.sum { |_key, value| value.to_s.size } }],
    each_with_object: [->(of) { of.each_with_object({}) { |(key, value), all| all[value] = key } }],
    group_by: [->(of) { of.group_by { |_key, value| value.class }.transform_values(&:size) }],
    partition: [->(of) { of.partition { |_key, value| value }.map { |list| list.sort_by(&:inspect) } }],
    min_by: [->(of) { of.min_by { |key, _value| key.inspect } }],
    sort_by: [->(of) { of.sort_by { |key, _value| key.inspect } }],
    to_a: [->(of) { of.to_a.sort_by(&:inspect) }, ->(of) { of.entries.size }],
    each_key: [->(of) { of.each_key.to_a.sort_by(&:inspect) }, ->(of) { of.each_key.size }],
    each_value: [->(of) { of.each_value.to_a.sort_by(&:inspect) }, ->(of) { of.each_value.size }],
    each: [->(of) { of.each.to_a.sort_by(&:inspect) }, ->(of) { of.each.size },
           ->(of) { of.each_with_index.to_a.size }, ->(of) { of.lazy.map(&:first).to_a.size }]
  }.freeze
  # rubocop:enable Style/PreferredHashMethods, Style/SingleArgumentDig

  def test_reading_methods_give_the_same_as_those_of_hash
    HASHES.each do |hash|
      map = Ratomic::Map.new.update(hash)
      CALLS.each do |name, calls|
        calls.each { |call| assert_equal [call.call(hash)], [call.call(map)], "#{name} of #{hash}" }
      end
    end
  end

  def test_methods_that_iterate_return_the_map_and_enumerators_have_its_size
    map = Ratomic::Map.new.update({ a: 1, b: 2 })
    %i[each each_pair each_key each_value].each { |name| assert_same map, map.public_send(name) { nil } }
    assert_equal :left, map.each { break :left }
    assert_equal 2, map.first(5).size
    %i[select reject filter each].each { |name| assert_equal 2, map.public_send(name).size }
  end

  def test_store_and_delete_as_a_hash
    map = Ratomic::Map.new
    assert_equal 5, map.store(:a, 5)
    assert_equal 5, map.delete(:a) { flunk }
    assert_equal [:a], map.delete(:a) { |key| [key] }
    assert_nil map.delete(:a)
  end

  def test_blocks_that_compute_no_value_may_write_any_key
    map = Ratomic::Map.new.update({ a: 1, b: 2 })
    within(5) do
      map.each { |key, value| map.set(key, value + 1) }
      map.select { |key, _value| map.increment(key) }
      map.fetch_values(:none) { |key| map.set(key, 0) }
      map.delete(:missing) { |key| map.set(key, 0) }
    end
    assert_equal({ a: 3, b: 4, none: 0, missing: 0 }, map.to_h)
  end

  def test_a_map_is_not_converted_to_a_hash
    map = Ratomic::Map.new
    %i[to_hash shift default= merge transform_values].each { |name| refute_respond_to map, name }
    refute_equal map, Ratomic::Map.new
  end

  def test_other_ractors_can_call_these_methods
    skip_without_ractors
    map = Ratomic::Map.new.update({ a: 1, b: 2 })
    seen = Ractor.new(map) do |shared|
      shared.update({ c: 3 }) { flunk }
      shared.delete_if { |key, _value| key == :a }
      [shared.map { |key, value| [key, value] }.sort, shared.count, shared[:c], shared.select { |_, v| v == 3 }]
    end.value
    assert_equal [[[:b, 2], [:c, 3]], 2, 3, { c: 3 }], seen
  end
end
