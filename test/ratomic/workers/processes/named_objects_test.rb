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

  def test_constants_and_variables_of_a_module
    found = names(Naming)
    assert_same LIST, found["LIST"]
    assert_same Inner::MAP, found["Inner::MAP"]
    assert_instance_of Ratomic::Counter, found["NamedObjectsTest::Naming.@mine"]
  end

  def test_the_variables_around_a_proc_that_it_reads
    read = Ratomic::Counter.new
    deep = [read]
    unread = Ratomic::Map.new
    found = names(->(item) { [read, [1].map { deep }, item] })
    assert_equal({ "read" => read, "deep" => deep }, found.slice("read", "deep", "unread"))
    assert_equal({}, names(->(item) { (own = item) && own }))
    assert_instance_of Ratomic::Map, unread
  end

  def test_what_has_no_code_names_nothing
    assert_equal [], Named.of(:to_s.to_proc)
    assert_equal [], Named.of(Kernel.method(:Integer))
  end
end
