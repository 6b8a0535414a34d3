# frozen_string_literal: true

require "test_helper"
require "stringio"

# The reason is the reason, whichever door refuses, and what it advises works.
class UnshareableReasonTest < Minitest::Test
  UnshareableReason = Ratomic::Workers::UnshareableReason

  class Unfreezable
    def freeze
      raise "the licence forbids it"
    end
  end

  class Uncopied
    def initialize
      @text = +"text"
      @list = [1]
    end

    def initialize_copy(_other)
      raise TypeError, "there is one of it"
    end
  end

  class NeverFrozen
    def freeze
      self
    end
  end

  class Zone
    def utc_to_local(time)
      time
    end

    def local_to_utc(time)
      time
    end
  end

  def in_zone
    Time.new(2020, 1, 1, 0, 0, 0, Zone.new)
  end

  REASONS = {
    Unfreezable.new => /freezing or copying it raises RuntimeError: the licence forbids it/,
    Uncopied.new => /freezing or copying it raises TypeError: there is one of it/,
    NeverFrozen.new => /its `freeze` does not freeze it/,
    Thread.current => /Ruby can neither share nor copy it/,
    StringIO.new => /Ruby can neither share nor copy it/
  }.compare_by_identity
  REASONS.delete_if { |object, _| Uncopied === object } unless Copying::INITIALIZED
  REASONS.freeze

  def test_each_kind_of_object_has_its_reason
    REASONS.each { |object, reason| assert_match reason, UnshareableReason.of(object) }
    [1, +"text", [+"a"], Object.new].each do |object|
      assert_nil UnshareableReason.of(object)
      refute UnshareableReason.of?(object)
    end
  end

  def test_an_object_with_singleton_methods_crosses_once_it_was_made_shareable
    object = Object.new
    def object.name = "only mine"
    reason = UnshareableReason.of(object)
    return unless reason # Ruby before 4.1 copies it

    assert_equal "this Ruby copies no object with singleton methods", reason
    assert_nil UnshareableReason.of(Ractor.make_shareable(object))
  end

  def test_a_proc_of_a_symbol_crosses_once_it_was_made_shareable
    skip_without_ractors
    reason = UnshareableReason.of(:upcase.to_proc)
    assert_match(/Symbol \(&:name\) is shareable only after Ractor.make_shareable/, reason)
    assert_nil UnshareableReason.of(Ractor.make_shareable(:upcase.to_proc))
  end

  # That it holds a String is no reason.
  def test_the_object_in_the_way_is_named_where_it_stands_on_every_way
    pool = Ratomic::Workers::Pool.new(size: 1, min_batch: 0, backend: :thread)
    map = Ratomic::Map.new
    REASONS.each do |object, reason|
      name = /\[1\]\[:key\] \(an instance of #{Regexp.escape(object.class.name)}\)/
      whole = [+"text", { key: object }]
      messages = [assert_raises(Ratomic::ShareableError) { map[:key] = whole }.message,
                  assert_raises(Ratomic::ShareableError) { Ratomic::Queue.new(1) << whole }.message,
                  pool.dispatch_async([whole], Ratomic::Workers::ParseJSON).value(timeout: 5)[0].message,
                  pool.dispatch_async([1], ->(_) { whole }).value(timeout: 5)[0].message]
      messages.each do |message|
        assert_match name, message
        assert_match reason, message
      end
    end
    assert_empty map.to_h
  ensure
    pool&.kill
  end

  def test_a_time_whose_zone_is_an_object_says_what_to_store_instead
    skip_without_ractors # older Rubies copy it with its zone
    message = assert_raises(Ratomic::ShareableError) { Ratomic::Map.new[:at] = [in_zone] }.message
    assert_match(/\[0\] \(an instance of Time\): its zone \(an instance of UnshareableReasonTest::Zone\) is not/,
                 message)
    map = Ratomic::Map.new
    time = in_zone
    [time.getlocal(time.utc_offset), time.getutc].each do |instead|
      assert_match(/getlocal\(time.utc_offset\) and time.getutc/, message)
      map[:at] = instead
      assert_equal time, map[:at]
    end
  end

  def test_an_instance_of_a_singleton_is_never_made_a_second_time
    require "singleton"
    only = Class.new { include Singleton }.instance
    [only, [only], { a: Set[only] }].each do |object|
      assert_raises(Ratomic::ShareableError) { Ratomic::Map.new[:key] = object }
    end
    refute_predicate only, :frozen?
  end
end
