# frozen_string_literal: true

require "test_helper"

class NamedObjectsTest < Minitest::Test
  Named = Ratomic::Workers::Processes::NamedObjects
  LIST = [1].freeze
  # A module in a path.
  module Inner
    MAP = Ratomic::Map.new
  end

  # Names constants and a variable, also in what it calls on itself.
  module Naming
    @mine = Ratomic::Counter.new

    def self.call(item)
      [LIST, help, @mine, item].map { |each| [each, String] }
    end

    def self.help
      Inner::MAP
    end
  end

  def setup
    skip "needs compiled code to read" unless defined?(RubyVM::InstructionSequence)
  end

  def names(callable)
    Named.of(callable).to_h { |object, name| [name, object] }
  end

  def test_the_constants_and_instance_variables_that_code_names_are_found
    found = names(Naming)
    assert_same LIST, found["LIST"]
    assert_same Inner::MAP, found["Inner::MAP"]
    assert_instance_of Ratomic::Counter, found["NamedObjectsTest::Naming.@mine"]
  end

  def test_the_captured_variables_that_a_proc_reads_are_found
    read = Ratomic::Counter.new
    deep = [read]
    unread = Ratomic::Map.new
    found = names(->(item) { [read, [1].map { deep }, item] })
    assert_equal({ "read" => read, "deep" => deep }, found.slice("read", "deep", "unread"))
    assert_equal({}, names(->(item) { (own = item) && own }))
    assert_instance_of Ratomic::Map, unread
  end

  def test_an_object_without_compiled_code_names_nothing
    assert_equal [], Named.of(:to_s.to_proc)
    assert_equal [], Named.of(Kernel.method(:Integer))
  end
end
