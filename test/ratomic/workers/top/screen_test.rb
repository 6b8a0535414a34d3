# frozen_string_literal: true

require "test_helper"
require "ratomic/workers/top"

class ScreenTest < Minitest::Test
  Screen = Ratomic::Workers::Top::Screen

  def process(time: 100.0, finished: 50, **more)
    pool = {
      number: 1, name: "parsers", size: 1, backend: "ractor", state: "running", notes: [], history: [],
      dispatches: { queued: 0, completed: finished / 10 }, items: { in_flight: 0, finished: finished },
      workers: { busy: 0, alive: 1 }, latency: { mean: 0.5, p50: 1.0, p95: nil, p99: nil }, running: [{ worker: 1 }],
      failures: {}, last_failures: {}, **more
    }
    { program: "app", pid: 7, ruby: "ruby 4.0.5", ratomic: "0.1.0", time: time, pools: [pool] }
  end

  def test_rates_are_those_since_the_last_look
    lines = Screen.new({ "a" => process(time: 102.0, finished: 90) }, { "a" => process }, nil).lines
    assert_includes lines.join("\n"), "20 items/s, 2 dispatches/s"
    refute_match(%r{items/s}, Screen.new({ "a" => process }, nil, nil).lines.join)
    other = { **process, pid: 8 }
    refute_match(%r{items/s}, Screen.new({ "a" => process(time: 102.0) }, { "a" => other }, nil).lines.join)
  end

  def test_control_characters_are_not_written_to_the_terminal
    evil = "\e[2J\a\n\u009b31m"
    failures = { evil => 2 }
    last = { evil => [{ message: evil }] }
    lines = Screen.new({ "a" => process(name: evil, failures: failures, last_failures: last, notes: [evil]) }, nil,
                       nil).lines
    lines.each { |line| assert_match(/\A[[:print:]]*\z/, line) }
  end

  def test_lines_fit_the_terminal
    assert_operator Screen.new({ "a" => process(name: "x" * 500) }, nil, 40).lines.map(&:size).max, :<, 40
  end

  def test_missing_sockets_and_pools_are_shown
    assert_equal ["no sockets"], Screen.new({}, nil, nil).lines
    assert_includes Screen.new({ "a" => { **process, pools: [] } }, nil, nil).lines, "  no pool has workers"
    assert_equal "a: Errno::ENOENT", Screen.new({ "a" => "Errno::ENOENT" }, nil, nil).lines[0]
  end
end
