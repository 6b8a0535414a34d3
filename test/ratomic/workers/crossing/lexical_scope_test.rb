# frozen_string_literal: true

require "test_helper"

class LexicalScopeTest < Minitest::Test
  module Outer
    class Inner
      def call; end
    end

    BLOCK = proc {}
    Made = Class.new { def call; end }

    class << self
      def call; end
    end
  end

  class Outer::Compact # rubocop:disable Style/ClassAndModuleChildren
    def call; end
  end

  def of(code)
    Ratomic::Workers::LexicalScope.of(RubyVM::InstructionSequence.of(code))
  end

  def test_it_finds_the_modules_around_the_code
    here = [LexicalScopeTest, Object]
    assert_equal [Outer.singleton_class, Outer, *here], of(Outer.method(:call))
    assert_equal [Outer::Inner, Outer, *here], of(Outer::Inner.new.method(:call))
    [Outer::BLOCK, Outer::Made.new.method(:call)].each do |code|
      assert_equal [Outer, *here], of(code)
    end
    assert_equal here, of(method(:of))
  end

  def test_modules_that_cannot_be_found_are_nil
    assert_nil of(Outer::Compact.new.method(:call)), "a name with :: may be anybody's"
    assert_nil of(eval("proc {}")) # rubocop:disable Style/EvalWithLocation
    assert_nil Ratomic::Workers::LexicalScope.of(Object.new)
  end

  def test_a_file_that_has_changed_has_no_answer
    Dir.mktmpdir do |folder|
      path = File.join(folder, "changing.rb")
      File.write(path, "module ChangingFile\n  def self.call(a) = a\nend\n")
      load path
      File.write(path, "module Another\n  def self.call(a) = a.b\nend\n")
      assert_nil of(ChangingFile.method(:call))
    end
  end

  require "tmpdir"
end
