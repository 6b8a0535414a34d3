#!/usr/bin/env bash
# Ruby 4.0 keeps a larger and larger table of interned Strings, however few of them live.
#
# Version: CRuby 4.0.0 (npm package @ruby/4.0-wasm-wasi 2.10.1); native 4.0.5 does the same. Ruby's head does not.
# Documented: String#-@ returns the one interned String with that content; interned Strings are collected like others.
# Behaviour: a program interns the same 2,000 Strings again and again, and drops them. The VM's table of interned
#   Strings doubles from time to time, and does not get smaller. Keys of a Hash and of JSON documents are
#   interned. So a program that runs for days can lose memory although the number of its objects stays as it is.
# Output seen: kilobytes of the table after each tenth part of the run (8 million Strings). 4.0.0 on WebAssembly: 262,
#   262, 4194, 8388, 16777, 16777, 33554, 67108, 134217, 268435; head: always 131. Natively
#   4.0.5: 524, 1048, 1048, 1048, 1048, then 2097; 4.1.0dev of 2026-08-22: always 524.
# Source in words: the table holds weak references. A lookup may find a String that the collector has marked as dead and
#   not swept yet. The insertion then puts the new String into the place of the dead one, and counts it, but does not
#   take the dead one from the count (concurrent_set.c, rb_concurrent_set_find_or_insert). When the count says that
#   three quarters are taken, the table gets twice as large. Head subtracts it (commit ee90e8e380 of April 2026).
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
require "objspace"
def table
  lines = ObjectSpace.dump_all(output: :string).each_line.select { |line| line.include?("VM/concurrent_set") }
  lines.map { |line| line[/"memsize":(\d+)/, 1].to_i / 1000 }.max
end
kept = {}
names = Array.new(2_000) { |number| "key #{number}" }
sizes = Array.new(10) do
  200.times do
    2.times do
      names.each_with_index do |name, number|
        key = -name.dup
        kept[key] = [name.dup]
        kept.delete(key) if (number % 3).zero?
      end
    end
    kept.clear
  end
  GC.start
  table
end
"#{sizes.join(" ")} kB (#{RUBY_DESCRIPTION})"
RUBY

released=$(node --no-warnings run.mjs 4.0)
head=$(node --no-warnings run.mjs head)
printf '%s\n' "$released" "$head"
grown() { # how many times the first size the last one is
  set -- ${1%% kB*}
  first=$1
  shift $(($# - 1))
  echo $(($1 / first))
}
[ "$(grown "$released")" -ge 8 ] && [ "$(grown "$head")" -le 2 ]
