# frozen_string_literal: true

require_relative "../support/endings"

# With forks: of the program, of a daemon out of it, and of what ends as only a child does.
waiting = "Process.wait(pid); exit($?.exitstatus || 100 + $?.termsig)"
Soak::Endings.run(
  "a child that ends" => ["pid = fork { }; #{waiting}", 0],
  "a child that exits" => ["pid = fork { exit 3 }; #{waiting}", 3],
  "a child that exits at once" => ["pid = fork { exit!(4) }; #{waiting}", 4],
  "a child that raises" => ["pid = fork { $stderr.reopen(File::NULL); raise 'boom' }; #{waiting}", 1],
  "a child that dispatches" => ["pid = fork { exit(ask == [1, 2] ? 5 : 1) }; #{waiting}", 5],
  "a child with a handler" => ["at_exit { exit(6) if $$ != MAIN }; pid = fork { ask }; #{waiting}", 6],
  "a child that is killed" => ["pid = fork { sleep }; Process.kill(:KILL, pid); #{waiting}", 109],
  "a child that is killed in its work" => ["pid = fork { POOL.dispatch_async([60], Nap).value }; sleep 0.05\n" \
                                           "Process.kill(:TERM, pid); #{waiting}", 115],
  "a parent that ends first" => ["fork { sleep 0.2; puts ask.inspect }", 0, nil, "[1, 2]\n"],
  "a child of a child" => ["pid = fork { own = fork { exit(ask == [1, 2] ? 7 : 1) }\n" \
                           "Process.wait(own); exit $?.exitstatus }; #{waiting}", 7],
  "a daemon" => ["Process.daemon(true, true); print ask", 0, nil, "[1, 2]"],
  "a child out of a thread" => ["pid = Thread.new { fork { exit(ask == [1, 2] ? 8 : 1) } }.value; #{waiting}", 8]
)
