#!/usr/bin/env bash
# A method that YJIT compiled before the first Ractor may stop all Ractors at each call from then on.
#
# Version: CRuby 4.0.5 with YJIT; 4.1.0dev of 2026-08-22 does the same.
# Documented: YJIT works with Ractors.
# Behaviour: `(condition ? object : object.other).message`, of which the second way was never taken, is compiled in the
#   main Ractor while it is the only one. Then two Ractors call it: each call takes 20 to 100 times as long as before.
#   With a local variable in between (`value = condition ? ...; value.message`), or when any Ractor was started before the
#   method was compiled, it is as quick as in one Ractor.
# Output seen: 0.2 us a call in the main Ractor, 14 us in two Ractors, 0.2 us with a variable.
# Source in words (yjit/src/core.rs, invariants.rs of 4.0.5): rb_yjit_before_ractor_spawn invalidates the blocks that were
#   compiled under the assumption that there is one Ractor, and puts stubs where other blocks jumped into them. A stub
#   that is reached enters branch_stub_hit, which takes the VM's lock with a barrier. It has ways out that leave the stub
#   as it is. A profile shows the time there; which of these ways is taken was not traced.
#
# No package registry has such a Ruby with YJIT: it takes the ruby on PATH, or RUBY=path. Exit status: 0 if it is still
# so, 1 if not, 77 if it cannot be tried.
set -eu

ruby=${RUBY:-ruby}
"$ruby" --yjit -e 'exit(defined?(Ractor::Port) ? 0 : 1)' 2>/dev/null || { echo "needs Ruby 4.0 with YJIT"; exit 77; }

exec "$ruby" -W:no-experimental --yjit -e '
  module Calls
    def self.at_once(number)
      object = Object.new
      (number == 0 ? object : object.dup).hash
    end

    def self.by_variable(number)
      object = Object.new
      value = number == 0 ? object : object.dup
      value.hash
    end
  end

  COUNT = 50_000
  def microseconds(count)
    started = Process.clock_gettime(Process::CLOCK_PROCESS_CPUTIME_ID)
    yield
    (Process.clock_gettime(Process::CLOCK_PROCESS_CPUTIME_ID) - started) * 1e6 / count
  end

  alone = Calls.singleton_methods.to_h do |name|
    COUNT.times { Calls.public_send(name, 0) }
    [name, microseconds(COUNT) { COUNT.times { Calls.public_send(name, 0) } }]
  end
  slower = alone.to_h do |name, before|
    after = microseconds(2 * COUNT) do
      Array.new(2) { Ractor.new(name) { |method| COUNT.times { Calls.public_send(method, 0) } } }.each(&:value)
    end
    puts format("%-12s %.2f us a call in the main Ractor, %.2f us in two Ractors", name, before, after)
    [name, after / before]
  end
  exit(slower[:at_once] > 10 && slower[:by_variable] < 10)
'
