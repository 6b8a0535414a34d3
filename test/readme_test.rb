# frozen_string_literal: true

require "test_helper"

# Runs every Ruby example of README.md as it is printed, each in a process of its own. A comment `# => value` at the end
# of a line is checked against what the line returns, `# raises Name` against what it raises.
class ReadmeTest < Minitest::Test
  README = File.expand_path("../README.md", __dir__)
  BLOCK = /^```ruby\n(.*?)^```$/m

  CHECKS = <<~'RUBY'
    require "ratomic"

    def check_value(line, expected, value)
      abort "README.md:#{line}: #{value.inspect}, not #{expected}" unless value.inspect == expected
    end

    def check_error(line, expected)
      yield
    rescue StandardError, NotImplementedError => e
      abort "README.md:#{line}: #{e.class} (#{e.message}), not #{expected}" unless e.class.name == expected
    else
      abort "README.md:#{line}: nothing raised, not #{expected}"
    end
  RUBY

  # Puts the checks into the block without moving a line.
  def self.checked(block, first_line)
    block.lines(chomp: true).each_with_index.map { |text, index| check(text, first_line + index) }.join("\n")
  end

  def self.check(text, line)
    code, kind, expected = text.match(/\A(.*\S)\s+# (=>|raises) (.+)\z/)&.captures
    case kind
    when "=>" then "check_value(#{line}, #{expected.dump}, (#{code}))"
    when "raises" then "check_error(#{line}, #{expected.dump}) { #{code} }"
    else text
    end
  end
  private_class_method :check

  text = File.read(README, encoding: "UTF-8")
  text.scan(BLOCK) do |(block)|
    first_line = text[0...Regexp.last_match.begin(1)].count("\n") + 1
    program = "#{CHECKS}\neval(#{checked(block, first_line).dump}, TOPLEVEL_BINDING, #{README.dump}, #{first_line})"

    define_method("test_the_example_at_line_#{first_line}_runs_as_printed") do
      skip_without_ractors
      assert_empty assert_success(ruby(program, seconds: 60)).err
    end
  end

  def test_there_are_examples_of_every_primitive
    code = File.read(README, encoding: "UTF-8").scan(BLOCK).join
    %w[Counter Map Queue Pool LocalPool Workers].each { |name| assert_includes code, "Ratomic::#{name}" }
  end

  def test_a_wrong_result_in_an_example_is_found
    result = ruby("#{CHECKS}\n#{self.class.checked("2 + 2 # => 5", 7)}")
    refute_predicate result, :success?
    assert_includes result.err, "README.md:7: 4, not 5"
  end
end
