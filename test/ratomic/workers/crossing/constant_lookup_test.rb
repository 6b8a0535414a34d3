# frozen_string_literal: true

require "test_helper"

class ConstantLookupTest < Minitest::Test
  module Outer
    VALUE = 1
    Object::LOOKUP_VALUE = 2

    module Inner
      def self.call; end
    end
  end

  def values(*names)
    code = RubyVM::InstructionSequence.of(Outer::Inner.method(:call))
    Ratomic::Workers::ConstantLookup.new(code, Outer::Inner).values(names)
  end

  def test_a_constant_is_found_as_ruby_finds_it
    assert_equal [[1], [2], [2], [1]], [values(:VALUE), values(:LOOKUP_VALUE), values(:"", :LOOKUP_VALUE),
                                        values(:Outer, :VALUE)]
    [%i[NoSuch], %i[VALUE Deeper], [:"", :VALUE]].each { |names| assert_empty values(*names) }
  end

  def test_a_class_variable_is_found_where_its_code_stands
    Outer::Inner.class_variable_set(:@@of_lookup, [3]) # rubocop:disable Style/ClassVars
    code = RubyVM::InstructionSequence.of(Outer::Inner.method(:call))
    lookups = [[code, Outer::Inner], [RubyVM::InstructionSequence.compile("1"), Outer::Inner], [code, nil]]
              .map { |of| Ratomic::Workers::ConstantLookup.new(*of) }
    assert_equal [[[3]]] * 3, lookups.map { |lookup| lookup.class_variable(:@@of_lookup) }
    assert_equal [[]] * 3, lookups.map { |lookup| lookup.class_variable(:@@of_nobody) }
  end

  def test_without_known_modules_all_possible_values_are_returned
    code = RubyVM::InstructionSequence.compile("1")
    lookup = Ratomic::Workers::ConstantLookup.new(code, Outer::Inner)
    assert_equal [[1], [2]], [lookup.values([:VALUE]), lookup.values([:LOOKUP_VALUE]).uniq]
    assert_equal [2], Ratomic::Workers::ConstantLookup.new(code, nil).values([:LOOKUP_VALUE])
  end
end
