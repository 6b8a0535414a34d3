#!/usr/bin/env bash
# In Ruby 4.0 what nobody received from a Ractor::Port stays for as long as its Ractor, also when the port was closed.
#
# Version: CRuby 4.0.0 and 4.1.0dev of 2026-08-01 (npm packages @ruby/4.0-wasm-wasi and @ruby/head-wasm-wasi 2.10.1);
#   native 4.0.5 does the same. Native 4.1.0dev of 2026-08-22 does not.
# Documented: Ractor::Port#close ends the sending; messages that are there can still be received. A port is an object
#   like others, so one would expect that it goes with its messages when nothing refers to it any more, as a
#   Thread::Queue does.
# Behaviour: a program that makes a port for each request, and closes or drops it after a timeout, keeps each answer
#   that came too late. It helps to receive until Ractor::ClosedError is raised after the close.
# Output seen: Strings that are alive after 3,000 ports with one String each. 4.0.0: closed unread 3000, received before
#   the close 0, received after it 0, dropped without a close 3000, a Thread::Queue 0; head of 2026-08-01: 2998, 0, 0,
#   3000, 0. Natively 4.0.5: 3000, 0, 0, 2999, 0; 4.1.0dev of 2026-08-22: 0 in all five.
# Source in words: the messages of a port are in a queue that belongs to the Ractor and is found by the number of the
#   port (ractor_sync.c). A close removes the queue from the Ractor's table only if it is empty; later the last receive
#   does. Nothing removes it when the port is collected, and the Ractor marks the messages of all queues in its table.
#
# Needs node and npm. Exit status: 0 if it is still so, 1 if not, 77 if it cannot be tried.
set -eu

command -v npm >/dev/null && command -v node >/dev/null || { echo "needs node and npm"; exit 77; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null &&
  npm install --silent --no-audit --no-fund --ignore-scripts \
    @ruby/4.0-wasm-wasi@2.10.1 @ruby/head-wasm-wasi@2.10.1 @ruby/wasm-wasi@2.10.1 ||
  { echo "the packages cannot be installed here"; exit 77; }

cat >run.mjs <<'JS'
import { readFile } from "node:fs/promises";
import { DefaultRubyVM } from "@ruby/wasm-wasi/dist/node";
const ruby = `node_modules/@ruby/${process.argv[2]}-wasm-wasi/dist/ruby+stdlib.wasm`;
const module = await WebAssembly.compile(await readFile(ruby));
const { vm } = await DefaultRubyVM(module);
console.log(vm.eval(await readFile("run.rb", "utf8")).toString());
JS
cat >run.rb <<'RUBY'
def strings
  GC.start
  ObjectSpace.count_objects[:T_STRING]
end

# @return [Integer] how many more Strings are alive after 3,000 calls
def kept(&block)
  1_000.times(&block)
  before = strings
  3_000.times(&block)
  strings - before
end

counts = [
  kept { port = Ractor::Port.new; port << "late"; port.close },
  kept { port = Ractor::Port.new; port << "in time"; port.receive; port.close },
  kept { port = Ractor::Port.new; port << "late"; port.close; port.receive },
  kept { port = Ractor::Port.new; port << "late" },
  kept { queue = Thread::Queue.new; queue << "late"; queue.close }
]
"#{counts.join(" ")} (#{RUBY_DESCRIPTION})"
RUBY

released=$(node --no-warnings run.mjs 4.0)
head=$(node --no-warnings run.mjs head)
printf '%s\n' "$released" "$head"
for line in "$released" "$head"; do
  read -r closed before after dropped queue _ <<<"$line"
  [ "$closed" -ge 2900 ] && [ "$dropped" -ge 2900 ] && [ "$before" -le 100 ] && [ "$after" -le 100 ] &&
    [ "$queue" -le 100 ] || exit 1
done
