# frozen_string_literal: true

require "open3"
require "rbconfig"
require "timeout"
require_relative "collector"
require_relative "waiting"

# Runs Ruby code in a process of its own, for what would end or spoil the suite's: exit, fork, signals, a crash, memory.
module Subprocess
  Result = Struct.new(:out, :err, :status) do
    def success?
      status.success?
    end
  end

  # Runs `ruby -e code` with ratomic on the load path. When it takes longer than `seconds` it is killed and the test
  # fails.
  def ruby(code, *arguments, seconds: 30, stdin: "", env: {})
    options = ["-W:no-experimental", *Collector::OPTIONS]
    run_command(RbConfig.ruby, *options, "-e", code, "--", *arguments, seconds:, stdin:, env:)
  end

  # As #ruby, but returns its standard output, and the test fails, with what the process said, unless it ended with
  # status 0.
  def ruby!(code, *arguments, **options)
    assert_success(ruby(code, *arguments, **options)).out
  end

  # Fails with what the process said unless it ended with status 0. Returns the result. The errors come first: many
  # readers of a log see no more than the first lines of a failure.
  def assert_success(result)
    assert result.success?, "#{result.status}\n#{result.err}\n#{result.out}"
    result
  end

  def run_command(*command, seconds: 30, stdin: "", env: {}, chdir: Dir.pwd)
    Open3.popen3(env, *command, chdir:, pgroup: true) do |input, out, err, process|
      readers = [out, err].map { |io| Thread.new { io.set_encoding(Encoding::UTF_8).read } }
      input.write(stdin)
      input.close
      seconds *= Waiting::PATIENCE
      unless process.join(seconds)
        Process.kill(:KILL, -process.pid)
        shown = command.map { |word| word.inspect[0, 60] }.join(" ")
        flunk "#{shown} was not done after #{seconds} s\n#{readers.map(&:value).join("\n")}"
      end
      Result.new(*readers.map(&:value), process.value)
    end
  end
end
