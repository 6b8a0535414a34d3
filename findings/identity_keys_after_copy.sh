#!/usr/bin/env bash
# A Hash with keys of a plain class, copied to another Ractor by Ruby 4.0, finds none of its own keys.
#
# Version: CRuby 4.0.0 and 4.1.0dev of 2026-08-01 (npm packages @ruby/4.0-wasm-wasi and @ruby/head-wasm-wasi 2.10.1);
#   native 4.0.5 does the same. Native 4.1.0dev of 2026-08-22 sends such a Hash right, but make_shareable is still wrong.
# Documented: what is sent to a port is deeply copied, as is what Ractor.make_shareable gets with copy: true. Marshal,
#   which copies deeply too, gives a Hash that finds its keys.
# Behaviour: each pair of the copy is there (each, keys, inspect, size), but key? and [] find none of them, whatever the
#   size of the Hash, if the keys are hashed by identity: objects of a class that defines no `hash`, or any keys after
#   compare_by_identity. A Hash that is moved is right, and `rehash` mends a copy, as long as it is not frozen: what
#   make_shareable has made cannot be mended.
# Output seen: how many of 20 keys the copy finds, with both versions: sent 0, sent and rehashed 20, by identity sent 0,
#   make_shareable 0, Marshal 20, Strings as keys sent 20. Natively 4.1.0dev of 2026-08-22: 20, 20, 20, 0, 20, 20.
# Source in words: the deep copy (ractor.c) makes a shallow clone of the Hash, with the hash values of the old keys in
#   its table, and then puts the copy of each key in the place of the key. The copy of such a key has another hash value.
#   A note in the source asks whether to rehash there. The later snapshot rebuilds what was sent pair by pair, or by
#   Marshal; make_shareable still takes the old way.
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
class Account; end

def accounts
  Array.new(20) { [Account.new, true] }.to_h
end

def send_to_port(object)
  port = Ractor::Port.new
  port << object
  port.receive
ensure
  port.close
end

# @return [Integer] how many of its own keys the Hash finds
def found(hash)
  hash.keys.count { |key| hash.key?(key) }
end

counts = [
  found(send_to_port(accounts)),
  found(send_to_port(accounts).rehash),
  found(send_to_port(accounts.compare_by_identity)),
  found(Ractor.make_shareable(accounts, copy: true)),
  found(Marshal.load(Marshal.dump(accounts))),
  found(send_to_port(Array.new(20) { |number| ["account #{number}", true] }.to_h))
]
"#{counts.join(" ")} (#{RUBY_DESCRIPTION})"
RUBY

for version in 4.0 head; do
  line=$(node --no-warnings run.mjs $version)
  printf '%s\n' "$line"
  [[ $line = "0 20 0 0 20 20 "* ]] || exit 1
done
