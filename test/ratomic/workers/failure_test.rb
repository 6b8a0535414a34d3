# frozen_string_literal: true

require "test_helper"

class FailureTest < Minitest::Test
  Failure = Ratomic::Workers::Failure

  def error
    raise "inner"
  rescue RuntimeError
    begin
      raise ArgumentError, "outer"
    rescue ArgumentError => e
      e
    end
  end

  # A cancelled dispatch makes millions of them.
  def test_a_failure_for_another_item_shares_all_but_its_index
    require "objspace"
    failure = Failure.from(error, 7)
    other = failure.at(8)
    assert_equal failure.to_h.merge(index: 8), other.to_h
    assert_same failure.message, other.message
    assert_operator ObjectSpace.memsize_of(other), :<=, 40
    assert Ractor.shareable?(other)
  end

  # Ruby shows the whole object in the message of a FrozenError.
  def test_a_long_message_is_shortened
    blob = "\x00\xff".b * 500_000
    failure = Ratomic::Workers.dispatch_async([blob], min_batch: 0) { |item| item << "x" }.value(timeout: 20).first
    assert_equal Failure::MAX_MESSAGE_CHARACTERS, failure.message.size
    assert_match(/\Acan't modify frozen String: "\\x00\\xFF.*\.\.\. \(\d{7} bytes in all\)\z/, failure.message)
    assert_match(/\Aitems, and what a callable refers to, are frozen/, failure.remedy) if Ratomic::RACTORS
    assert_equal failure.message, failure.at(3).message
    assert_equal failure.message, Failure.new(0, "FrozenError", failure.message).message
    assert_equal "a" * 10_000, Failure.new(0, "KeyError", "a" * 10_000).message
  end

  def test_it_has_the_class_message_and_backtrace_of_the_exception
    failure = Failure.from(error, 7)
    assert_equal [7, "ArgumentError", "outer"], [failure.index, failure.exception_class, failure.message]
    assert_match(/failure_test.rb:\d+/, failure.backtrace.first)
    assert_equal ["RuntimeError", "inner", nil],
                 [failure.cause.exception_class, failure.cause.message, failure.cause.cause]
    assert_predicate failure, :failure?
    assert_predicate failure, :frozen?
    assert Ractor.shareable?(failure)
    assert_equal "item 7: ArgumentError: outer", failure.to_s
  end

  # Exceptions whose answers raise, or are not what they should be.
  { message: [-> { raise "x" }, /cannot be read: RuntimeError/], backtrace: [-> { raise NotImplementedError }, /odd/],
    cause: [-> { raise NotImplementedError }, /odd/], class: [-> {}, /odd/],
    to_s: [-> { BasicObject.new }, /cannot be read: \w+Error/] }
    .each do |name, (answer, message)|
    define_method("test_an_exception_with_a_#{name}_of_its_own_is_read_as_far_as_it_goes") do
      odd = KeyError.new("odd")
      odd.define_singleton_method(name, &answer)
      failure = Failure.from(odd, 0)
      assert_equal ["KeyError", [], nil], [failure.exception_class, failure.backtrace, failure.cause]
      assert_match(message, failure.message)
    end
  end

  def test_when_message_raises_the_text_of_the_exception_is_used
    odd = Class.new(LoadError) { def message = raise("no gem of that name") }.new("cannot load such file -- csv")
    assert_equal "cannot load such file -- csv (its message cannot be read: RuntimeError)", Failure.from(odd, 0).message
  end

  def test_a_load_error_in_a_worker_names_the_file
    skip_without_ractors
    pool = Ratomic::Workers::Pool.new(size: 1, min_batch: 0)
    missing = Ractor.shareable_proc { |_| require "no_such_file_of_a_gem" }
    failure = pool.dispatch_async([1], missing).value(timeout: 10)[0]
    assert_equal "LoadError", failure.exception_class
    assert_match(/cannot load such file -- no_such/, failure.message)
  ensure
    pool&.kill
  end

  # A String that answers in its own way.
  class Line < String
    def to_s
      raise Exception, "not a line" # rubocop:disable Lint/RaiseException
    end
    alias dup to_s
    alias to_str to_s
  end

  def test_lines_of_a_backtrace_are_read_without_their_own_methods
    odd = KeyError.new("odd")
    line = Line.new("a.rb:1")
    line.instance_variable_set(:@io, $stdin)
    lines = Class.new(Array) { def map = raise }.new([line, "b.rb:2"])
    odd.define_singleton_method(:backtrace) { lines }
    failure = Failure.from(odd, 0)
    assert_equal [["a.rb:1", "b.rb:2"], [String, String]], [failure.backtrace, failure.backtrace.map(&:class)]
    assert Ractor.shareable?(failure)
  end

  def test_all_its_texts_are_in_one_encoding
    ["é".encode("UTF-16LE"), "é".encode("ISO-8859-1"), "é".b, "\xff\xfe".b].each do |message|
      failure = Failure.new(3, "Größe", message, ["ü.rb:1".encode("UTF-16BE")])
      assert_match(/\Aitem 3: Größe: (é|\ufffd+)\z/, failure.to_s)
      assert_includes failure.inspect, failure.to_s
      assert_includes failure.to_error.message, failure.message
      assert_equal ["ü.rb:1"], failure.backtrace
    end
  end

  def test_an_exception_class_whose_name_raises_has_a_name
    anonymous = Class.new(StandardError) { def self.to_s = raise("no name") }
    assert_match(/\A#<Class:0x\h+>\z/, Failure.from(anonymous.new("x"), 0).exception_class)
  end

  def test_a_long_backtrace_is_cut
    lines = Array.new(10_000) { |i| "file.rb:#{i}" }
    failure = Failure.new(0, "SystemStackError", "deep", lines)
    assert_equal Failure::MAX_BACKTRACE_LINES + 1, failure.backtrace.size
    assert_equal "... 9950 lines more", failure.backtrace.last
    assert_equal "... 9950 lines more", failure.at(3).backtrace.last
  end

  def test_a_cycle_of_causes_is_cut
    one = RuntimeError.new("one")
    two = RuntimeError.new("two")
    one.define_singleton_method(:cause) { two }
    two.define_singleton_method(:cause) { one }
    depth = 0
    failure = Failure.from(one, 0)
    depth += 1 while (failure = failure.cause)
    assert_equal Failure::MAX_CAUSES, depth
  end

  def test_equal_failures_are_equal
    assert_equal Failure.new(1, "A", "b"), Failure.new(1, "A", "b")
    refute_equal Failure.new(1, "A", "b"), Failure.new(2, "A", "b")
    assert_equal Failure.new(1, "A", "b").hash, Failure.new(1, "A", "b").hash
    assert_equal Failure.new(2, "A", "b"), Failure.new(1, "A", "b").at(2)
  end

  def test_it_becomes_the_error_class_that_fits
    names = { "KeyError" => "ItemError", "Ratomic::Workers::CancelledError" => "CancelledError",
              "Ratomic::Workers::ShutdownError" => "ShutdownError" }
    names.each { |name, made| assert_equal "Ratomic::Workers::#{made}", Failure.new(0, name, "x").to_error.class.name }
  end
end
