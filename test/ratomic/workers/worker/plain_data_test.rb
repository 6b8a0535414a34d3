# frozen_string_literal: true

require "test_helper"

class PlainDataTest < Minitest::Test
  def plain?(*objects)
    Ratomic::Workers::PlainData.all?(objects)
  end

  def test_data_of_ruby_s_own_classes_is_plain
    assert plain?(1, 2.5, 2**70, "a", :b, nil, true, false, [1, ["x"]], { "k" => { a: [nil] } })
    assert plain?(Ratomic::Workers::Failure.new(0, "KeyError", "x"))
    assert plain?
  end

  def test_objects_that_a_copy_would_change_are_no_plain_data
    odd = [Object.new, Class.new(String).new, Class.new(Array).new, Class.new(Hash).new, Hash.new(1), Hash.new { 1 },
           {}.compare_by_identity, Struct.new(:a).new(1), Time.now, 1..2, Thread::Mutex.new, BasicObject.new, String]
    odd.each { |object| refute plain?(object) }
    odd.each { |object| refute plain?(1, [{ k: object }]) }
    refute plain?({ Object.new => 1 })
  end

  # Each level is twice in the next one.
  def test_data_with_shared_parts_is_not_looked_at_without_end
    refute within(10) { plain?(60.times.inject(["text"]) { |inner, _| [inner, inner] }) }
    refute within(10) { plain?(60.times.inject({}) { |inner, _| { a: inner, b: inner } }) }
  end

  def test_data_of_ten_thousand_containers_is_looked_at
    assert plain?(Array.new(9_999) { [] })
    refute plain?(Array.new(10_000) { [] })
  end

  def test_very_deep_data_is_not_looked_at_to_its_end
    deep = 5000.times.inject([]) { |nested, _| [nested] }
    refute plain?(deep)
    round = []
    refute plain?(round << round)
  end
end
