#!/usr/bin/env bash
# A Fiber that leaves `Thread.handle_interrupt` takes the mask of another Fiber off, and leaves its own behind.
#
# Version: CRuby 4.0.0 and 4.1.0dev of 2026-08-01 (npm packages @ruby/4.0-wasm-wasi and @ruby/head-wasm-wasi 2.10.1);
#   native 3.1.2, 4.0.5 and 4.1.0dev of 2026-08-22 do the same.
# Documented: handle_interrupt "changes asynchronous interrupt timing" for the block that it is given. Nothing is said of
#   Fibers. What else a block sets up and takes back belongs to the Fiber: its local variables, Fiber#storage, Thread#[].
# Behaviour: the masks are one stack of the thread. While one Fiber is suspended inside of such a block, the other Fibers
#   of the thread are masked as well, and so is a Fiber that is made there. If two Fibers are suspended inside of blocks of
#   their own, and the one that came first leaves first, it takes the mask of the other one off. That Fiber then gets the
#   interrupt inside of the block that should keep it away, and the mask of the first one stays until the second has
#   left. With a Fiber scheduler any wait inside of such a block is a place where Fibers change.
# Output seen: "true masked" (a Fiber outside of the block is masked, and so is a new one), "raised" (inside of its own
#   mask), "deferred" (in a Fiber whose block has ended), "raised" (in the end all masks are gone).
# Source in words: handle_interrupt (thread.c) pushes the mask onto an Array of the thread, runs the block, and then pops
#   the last element, whichever it is. A change of Fiber saves and restores other things, but not that Array.
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
One = Class.new(StandardError)
Two = Class.new(StandardError)

# A Fiber that is suspended inside of a mask, and once more after it.
def masked(error, &inside)
  Fiber.new do
    Thread.handle_interrupt(error => :never) do
      Fiber.yield
      inside&.call
    end
    Fiber.yield
  end
end

# @return [Symbol] whether the error that the thread raises into itself comes at once
def try(error)
  Thread.current.raise(error)
  :deferred
rescue error
  :raised
end

found = []

first = masked(One)
first.resume
Fiber.new do
  Thread.current.raise(One)
  found << Thread.pending_interrupt?
end.resume
Thread.handle_interrupt(Two => :never) do
  found << Fiber.new { try(Two) == :deferred ? :masked : :free }.resume
rescue Two
  found << :free
end rescue Two
begin
  first.resume
rescue One
  nil # the one that was deferred above
end

first = masked(One)
second = masked(Two) { found << try(Two) }
first.resume
second.resume
first.resume # leaves its block first
second.resume

first = masked(One)
second = masked(Two)
first.resume
second.resume
first.resume
found << begin
  try(One)
ensure
  begin
    second.resume
  rescue One
    nil
  end
end
found << try(One)
"#{found.join(" ")} (#{RUBY_DESCRIPTION})"
RUBY

for version in 4.0 head; do
  line=$(node --no-warnings run.mjs $version)
  printf '%s\n' "$line"
  [[ $line = "true masked raised deferred raised "* ]] || exit 1
done
