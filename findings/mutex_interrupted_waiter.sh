#!/usr/bin/env bash
# A thread that is killed in the moment in which it is given a Mutex leaves all others asleep that wait for it.
#
# Version: CRuby 3.1.2, 4.0.5 and a development version of 4.1.
# Documented: Mutex#synchronize "obtains a lock, runs the block, and releases the lock when the block completes".
# Behaviour: two threads wait for a Mutex. It is released, and the first of them is killed (or gets an exception) before
#   it has had its turn. The Mutex is free then, and the second thread sleeps until some other thread takes and releases
#   the Mutex once more; if none does, for ever. Ruby does not report a deadlock.
# Output seen: "the Mutex is free, and the second thread waits: true".
# Source in words: unlocking takes the first thread off the list of those that wait, and wakes it. In do_mutex_lock
#   (thread_sync.c) that thread takes the Mutex, gives it back before it looks for interrupts, because these may raise,
#   and does so without waking the next thread of the list.
#
# Needs ruby (RUBY=path for another than the first in the PATH). Exit status: 0 if it is still so, 1 if not, 77 if it
# cannot be tried.
set -eu

ruby=${RUBY:-ruby}
command -v "$ruby" >/dev/null || { echo "needs ruby"; exit 77; }
"$ruby" -e '
  found = 20.times.any? do
    lock = Mutex.new.lock
    first, second = Array.new(2) do
      Thread.new { lock.synchronize { nil } }.tap { |thread| Thread.pass until thread.status == "sleep" }
    end
    lock.unlock
    first.kill
    first.join
    second.join(1).nil? && !lock.locked?
  end
  puts "the Mutex is free, and the second thread waits: #{found} (Ruby #{RUBY_VERSION})"
  exit(found)
'
