#!/usr/bin/env bash
# The values of a WeakKeyMap outlive their keys by one collection, and the heap is three times as large for it.
#
# Version: CRuby 4.0.0 (npm packages @ruby/4.0-wasm-wasi and @ruby/wasm-wasi 2.10.1); native 4.0.5 does the same.
# Documented: ObjectSpace::WeakKeyMap drops an entry when its key is collected; the value goes with it.
# Behaviour: entries are stored and forgotten at once, 200,000 in a round, and no object lives from one round to the next.
#   In a WeakMap, or in none, the heap stays as small as it was. In a WeakKeyMap it has three times the pages. Natively
#   the factor is 2 to 3, with Enumerators as values 5, and 20 where a value holds a Mutex, Arrays and Hashes.
# Output seen: 14 pages after each round without a map, 14 with a WeakMap, 41 to 43 with a WeakKeyMap.
# Source in words: whether a key lives is not known before marking ends. So the mark function (wkmap_mark_table_i) marks
#   the value of every entry whose key was alive at the collection before, and the entry goes one collection later. Every
#   value that was stored since the last collection survives the next one, with all it refers to, however dead its key
#   is. The collector takes them for objects that live, and makes the heap larger.
#
# Needs node and npm. Exit status: 0 if it is still so, 1 if not, 77 if it cannot be tried.
set -eu

command -v npm >/dev/null && command -v node >/dev/null || { echo "needs node and npm"; exit 77; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null &&
  npm install --silent --no-audit --no-fund --ignore-scripts @ruby/4.0-wasm-wasi@2.10.1 @ruby/wasm-wasi@2.10.1 ||
  { echo "the packages cannot be installed here"; exit 77; }

cat >run.mjs <<'JS'
import { readFile } from "node:fs/promises";
import { DefaultRubyVM } from "@ruby/wasm-wasi/dist/node";
const module = await WebAssembly.compile(await readFile("node_modules/@ruby/4.0-wasm-wasi/dist/ruby+stdlib.wasm"));
const { vm } = await DefaultRubyVM(module);
const program = (await readFile("run.rb", "utf8")).replace("STORE", () => process.argv[2]);
console.log(vm.eval(program).toString());
JS
cat >run.rb <<'RUBY'
class Key; end
class Item; def initialize; @parts = [Object.new, [], {}, +"text"]; end; end
store = STORE
pages = Array.new(6) do
  200_000.times { store.call(Key.new, Item.new) }
  3.times { GC.start }
  GC.stat(:heap_allocated_pages)
end
"#{pages.min} to #{pages.max} pages (Ruby #{RUBY_VERSION})"
RUBY

none=$(node --no-warnings run.mjs '->(key, item) { [key, item] }')
weak=$(node --no-warnings run.mjs '(map = ObjectSpace::WeakMap.new; ->(key, item) { map[key] = item })')
keys=$(node --no-warnings run.mjs '(map = ObjectSpace::WeakKeyMap.new; ->(key, item) { map[key] = item })')
printf 'no map:     %s\nWeakMap:    %s\nWeakKeyMap: %s\n' "$none" "$weak" "$keys"
most() { [[ $1 =~ ^([0-9]+)\ to\ ([0-9]+) ]] && echo "${BASH_REMATCH[2]}"; }
least() { echo "${1%% *}"; }
[ "$(most "$weak")" -lt $(($(least "$none") * 2)) ] && [ "$(least "$keys")" -ge $(($(most "$weak") * 2)) ]
