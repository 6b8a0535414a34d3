# frozen_string_literal: true

require "stringio"

# For tests of errors that no caller can rescue: the library shows the first of each class with `warn`.
module ShownErrors
  SHOWN = Ratomic::Workers.const_get(:ErrorWarning).const_get(:SHOWN)

  # Runs the block, which raises an error of that class somewhere in the main Ractor, and waits until it is shown.
  # Fails unless it is shown once, with a line that matches.
  def assert_shown(exception_class, pattern, seconds = 5)
    SHOWN.delete("#{Process.pid} #{exception_class}")
    before = $stderr
    $stderr = shown = StringIO.new
    yield
    line = /^ratomic: an error in .*: #{exception_class}: .*$/
    eventually(seconds) { shown.string.match?(/#{line}\n.*not shown$/) }
    assert_equal 1, shown.string.scan(line).size, shown.string
    assert_match pattern, shown.string[line]
  ensure
    $stderr = before
  end
end
