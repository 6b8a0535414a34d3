# frozen_string_literal: true

require_relative "../support/endings"

# By signals, also in the midst of a wait.
Soak::Endings.run(
  "Ctrl-C" => ["Process.kill(:INT, $$); sleep", :INT, /Interrupt/],
  "TERM" => ["Process.kill(:TERM, $$); sleep", :TERM],
  "HUP" => ["Process.kill(:HUP, $$); sleep", :HUP],
  "KILL" => ["Process.kill(:KILL, $$); sleep", :KILL],
  "Ctrl-C in a wait for a result" => ["later { sleep 0.05; Process.kill(:INT, $$) }\n" \
                                      "POOL.backend == :inline ? sleep : POOL.dispatch_async([60], Nap).value",
                                      :INT, /Interrupt/],
  "TERM in a wait for an item" => ["later { sleep 0.05; Process.kill(:TERM, $$) }; Ratomic::Queue.new(1).pop", :TERM],
  "Ctrl-C that is rescued" => ["begin\n  Process.kill(:INT, $$); sleep\nrescue Interrupt\n  p ask\nend", 0, nil,
                               "[1, 2]\n"],
  "TERM with a trap that exits" => ["trap(:TERM) { exit 9 }; Process.kill(:TERM, $$); sleep", 9],
  "Ctrl-C twice" => ["later { 2.times { sleep 0.02; Process.kill(:INT, $$) } }; sleep", :INT, /Interrupt/]
)
