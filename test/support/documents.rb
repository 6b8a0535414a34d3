# frozen_string_literal: true

# Runs the Ruby examples of a Markdown document as they are printed, each in a process of its own. A comment
# `# => value` at the end of a line is checked against what the line returns, `# raises Name` against what it raises.
module Documents
  BLOCK = /^```ruby\n(.*?)^```$/m

  CHECKS = <<~'RUBY'
    require "ratomic"

    def check_value(place, expected, value)
      return if value.inspect == expected
      return if { a: 1 }.inspect != "{a: 1}" && eval(expected) == value # a Hash, as Ruby before 3.4 prints it

      abort "#{place}: #{value.inspect}, not #{expected}"
    end

    def check_error(place, expected)
      yield
    rescue StandardError, NotImplementedError => e
      abort "#{place}: #{e.class} (#{e.message}), not #{expected}" unless e.class.name == expected
    else
      abort "#{place}: nothing raised, not #{expected}"
    end
  RUBY

  class << self
    # @return [Array<Array(Integer, String)>] the first line of each block, and its text
    def blocks(path)
      text = File.read(path, encoding: "UTF-8")
      found = []
      text.scan(BLOCK) { |(block)| found << [text[0...Regexp.last_match.begin(1)].count("\n") + 1, block] }
      found
    end

    # @return [String] a program that runs the block and checks it
    def program(path, first_line, block)
      name = File.basename(path)
      "#{CHECKS}\neval(#{checked(name, block, first_line).dump}, TOPLEVEL_BINDING, #{path.dump}, #{first_line})"
    end

    # Puts the checks into the block without moving a line.
    def checked(name, block, first_line)
      lines = block.lines(chomp: true)
      lines.each_with_index.map { |text, index| check("#{name}:#{first_line + index}", text) }.join("\n")
    end

    private

    def check(place, text)
      code, kind, expected = text.match(/\A(.*\S)\s+# (=>|raises) (.+)\z/)&.captures
      case kind
      when "=>" then "check_value(#{place.dump}, #{expected.dump}, (#{code}))"
      when "raises" then "check_error(#{place.dump}, #{expected.dump}) { #{code} }"
      else text
      end
    end
  end
end
