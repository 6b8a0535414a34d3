# frozen_string_literal: true

require "test_helper"

class CompiledCodeTest < Minitest::Test
  CompiledCode = Ratomic::Workers::CompiledCode

  def test_compiled_code_of_this_ruby_has_the_known_form
    parts = RubyVM::InstructionSequence.of(proc { Integer("x") rescue nil }).to_a # rubocop:disable Style/RescueModifier
    assert CompiledCode.code?(parts)
    assert_equal :block, parts[CompiledCode::KIND]
    assert_includes parts[CompiledCode::CATCH].map(&:first), :rescue
    assert_includes parts[CompiledCode::BODY], [:leave]
  end

  def test_other_objects_and_other_forms_are_not_taken_for_compiled_code
    parts = RubyVM::InstructionSequence.of(proc { 1 }).to_a
    [nil, :send, [], ["another", *parts.drop(1)], parts.first(5)].each { |other| refute CompiledCode.code?(other) }
    assert CompiledCode.marked?(parts.first(5))
    refute CompiledCode.marked?(["another", *parts.drop(1)])
  end
end
