# frozen_string_literal: true

require_relative "../support/endings"

# By their own will, or by an error of their own.
Soak::Endings.run(
  "the end" => ["", 0],
  "exit" => ["exit 3", 3],
  "exit!" => ["exit!(4)", 4],
  "exit in a thread" => ["Thread.new { exit 5 }.join", 5],
  "exit in an item" => ["p OWN.dispatch_async([6], Leave).value(timeout: 15)[0].exception_class", 0, nil,
                        "\"SystemExit\"\n"],
  "the main thread killed" => ["later { Thread.main.kill }; sleep", 0],
  "abort" => ["abort 'bye'", 1, /\Abye\n\z/],
  "an error" => ["raise 'boom'", 1, /boom \(RuntimeError\)/],
  "an error in a thread" => ["Thread.new { Thread.current.report_on_exception = false; raise 'boom' }.join", 1,
                             /boom \(RuntimeError\)/],
  "a throw" => ["throw :tag", 1, /uncaught throw :tag/],
  "no stack left" => ["def deep = deep + 1\ndeep", 1, /stack level too deep/],
  "a wait that is timed out" => ["require 'timeout'\n" \
                                 "Timeout.timeout(0.1) { Ratomic::Queue.new(1).pop } rescue exit(7)", 7],
  "a handler that dispatches" => ["at_exit { p ask }", 0, nil, "[1, 2]\n"],
  "a handler that exits" => ["at_exit { exit 8 }", 8],
  "a handler that raises" => ["at_exit { raise 'late' }", 1, /late \(RuntimeError\)/],
  "a pool killed" => ["POOL.kill", 0],
  "another program" => ["exec 'exit 9'", 9]
)
