# frozen_string_literal: true

require "test_helper"
require "pty"
require "stringio"

class ProgressBarTest < Minitest::Test
  Progress = Ratomic::Workers::Progress
  Bar = Ratomic::Workers::ProgressBar

  # A terminal of 60 columns that keeps what was written.
  class Terminal < StringIO
    def tty?
      true
    end

    def winsize
      [24, 60]
    end
  end

  def draw(output, *moments, title: "Parsing")
    bar = Bar.new(title, output: output)
    moments.each { |completed, failures, seconds| bar.call(Progress.new(completed, 200, failures:, seconds:)) }
    output.string
  end

  def test_a_terminal_gets_a_bar_with_rate_failures_and_time_left
    lines = draw(Terminal.new, [0, 0, 0.0], [50, 2, 1.0]).split("\r\e[K")
    assert_equal "Parsing [        ]   0% 0/200", lines[1]
    assert_match(%r{\AParsing \[=+ +\]  25% 50/200, 50/s, 2 failed, 3.0 s left\z}, lines[2])
    assert_operator lines.map(&:size).max, :<, 60
  end

  def test_the_end_stays_on_the_terminal
    text = draw(Terminal.new, [0, 0, 0.0], [200, 0, 90.0])
    assert_match(%r{\] 100% 200/200, 2.2/s, 1:30\n\z}, text)
  end

  def test_a_narrow_terminal_gets_words_only
    terminal = Terminal.new
    def terminal.winsize = [24, 30]
    last = draw(terminal, [0, 0, 0.0], [50, 2, 1.0]).split("\r\e[K").last
    assert_equal "Parsing  25% 50/200, 50/s, 2 ", last
  end

  def test_elsewhere_there_is_a_line_a_minute
    quick = draw(StringIO.new, [0, 0, 0.0], [100, 0, 30.0], [200, 0, 59.0])
    assert_equal "", quick
    slow = draw(StringIO.new, [0, 0, 0.0], [50, 0, 60.0], [60, 0, 61.0], [100, 1, 120.5], [200, 1, 3_725.0])
    assert_equal ["Parsing:  25% 50/200", "Parsing:  50% 100/200", "Parsing: 100% 200/200"],
                 slow.lines.map { |line| line[%r{\A.*?/200}] }
    assert_match(/, 1 failed, 1:02:05$/, slow)
  end

  def test_a_stopped_dispatch_shows_how_far_it_was
    output = StringIO.new
    Bar.new("Parsing", output: output).stop(Progress.new(7, 200, failures: 1, seconds: 2.5))
    assert_equal "Parsing: stopped at 7 of 200 items after 2.5 s, 1 failed\n", output.string
  end

  def test_a_title_controls_no_terminal
    assert_includes draw(Terminal.new, [1, 0, 1.0], title: "a\e[2Jb"), "a [2Jb ["
  end

  def test_output_that_breaks_spoils_nothing
    reader, writer = IO.pipe
    reader.close
    bar = Bar.new(output: writer)
    2.times { bar.call(Progress.new(200, 200, failures: 0, seconds: 61.0 * 2)) }
    writer.close
    bar.call(Progress.new(200, 200, failures: 0, seconds: 300.0))
  end

  def test_there_is_none_in_tests
    assert_predicate Bar, :in_tests?
    out = ruby!(<<~RUBY, env: { "RAILS_ENV" => nil, "RACK_ENV" => nil })
      require "ratomic"
      print Ratomic::Workers::ProgressBar.in_tests?
      ENV["RACK_ENV"] = "test"
      print Ratomic::Workers::ProgressBar.in_tests?
    RUBY
    assert_equal "falsetrue", out
  end

  PROGRAM = <<~'RUBY'
    require "ratomic"
    module Nap
      def self.call(seconds)
        sleep(seconds)
        raise "no" if seconds == 0.011
        seconds
      end
    end
    begin
      Ratomic::Workers.map([0.01] * 40 + [0.011] + [0.01] * 40, Nap, progress: "Napping", min_batch: 0)
    rescue Ratomic::Workers::ItemError => e
      $stderr.puts e.message
    end
  RUBY

  # The whole way, on a terminal as the kernel makes it.
  def test_a_program_on_a_terminal
    command = [RbConfig.ruby, "-W:no-experimental", "-e", PROGRAM]
    text = +""
    PTY.spawn({ "TERM" => "xterm", "RACK_ENV" => nil, "RAILS_ENV" => nil }, *command) do |output, _input, _pid|
      within(20) { loop { text << output.readpartial(4096) } }
    rescue Errno::EIO # all is read
      nil
    end
    assert_match(%r{Napping \[=+ *\] +\d+% \d+/81, .*left}, text)
    assert_match(%r{\[=+\] 100% 81/81, .*, 1 failed, [0-9.]+ m?s}, text)
    assert_includes text, "item 40: RuntimeError: no"
  end
end
