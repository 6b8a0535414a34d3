# frozen_string_literal: true

require "test_helper"
require "support/documents"

# Runs the examples in the comments of lib/ that are whole and print what they return, and compiles the others. An
# example is indented by three spaces after a line that has no text, as Markdown has it.
class CommentsTest < Minitest::Test
  LIB = File.expand_path("../lib", __dir__)
  EXAMPLE = /^ *#(?: @example.*)?\n((?: *#   .*\n)+)/
  # Tables of messages.
  NO_CODE = %w[ratomic/pool/server.rb].freeze
  # It begins with a constant that it sets. Where it uses what the reader has, it can only be compiled.
  WHOLE = /\A[A-Z]+ = Ratomic::(?!Workers)/

  # @return [Array<Array(String, Integer, String)>] file, first line and text of each example
  def self.examples
    (Dir[File.join(LIB, "**/*.rb")] - NO_CODE.map { |name| File.join(LIB, name) }).sort.flat_map do |path|
      text = File.read(path, encoding: "UTF-8")
      text.enum_for(:scan, EXAMPLE).map do
        found = Regexp.last_match
        [path, text[0...found.begin(1)].count("\n") + 1, found[1].gsub(/^ *#   /, "")]
      end
    end
  end

  EXAMPLES = examples.freeze

  EXAMPLES.each do |path, first_line, code|
    name = "#{path.delete_prefix("#{LIB}/").delete_suffix(".rb").tr("/", "_")}_at_line_#{first_line}"
    next define_method("test_the_example_of_#{name}_compiles") { compile(code) } unless code.match?(WHOLE)

    define_method("test_the_example_of_#{name}_runs_as_printed") do
      skip_without_ractors if code.include?("Ratomic::Pool")
      assert_empty assert_success(ruby(Documents.program(path, first_line, code), seconds: 60)).err
    end
  end

  def test_examples_of_both_kinds_are_found
    run, compiled = EXAMPLES.partition { |*, code| code.match?(WHOLE) }
    assert_operator run.size, :>=, 3
    assert_operator compiled.size, :>=, 8
    assert_raises(SyntaxError) { compile("map.each { |key, value\n") }
  end

  private

  def compile(code)
    assert RubyVM::InstructionSequence.compile(code)
  end
end
