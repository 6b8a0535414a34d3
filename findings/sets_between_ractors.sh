#!/usr/bin/env bash
# Ruby 4.0 copies a Set to another Ractor only if its elements are shareable; an Array or a Hash has no such rule.
#
# Version: CRuby 4.0.0 and 4.1.0dev of 2026-08-01 (npm packages @ruby/4.0-wasm-wasi and @ruby/head-wasm-wasi 2.10.1);
#   native 4.0.5 does the same. Native 4.1.0dev of 2026-08-22 copies all of them.
# Documented: an object that is sent to a port and is not shareable is deeply copied; what cannot be copied are objects
#   like a Thread or a Proc. Set became a core class in 4.0, and its documentation has nothing on Ractors.
# Behaviour: Set[1] and Set["text"] cross, and so do an Array or a Hash of Sets. A Set of Arrays or of Sets raises
#   Ractor::Error "can not copy Set object.", and so does one with an instance variable; make_shareable with copy: true
#   does the same. To freeze the same Set in place works, without copy: true.
# Output seen, with both versions: Set[1] yes, [Set[1]] yes, Set[[1]] no, Set[Set[1]] no, with an instance variable no,
#   Set[[1]] made shareable in place yes, as a copy no.
# Source in words: a Set is a native object now, no longer a Ruby object with a Hash. The deep copy (ractor.c) cannot
#   replace what a native object refers to. So it copies one only if all of that is shareable, and refuses it otherwise.
#   The later snapshot falls back on Marshal.
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
def sent?(object)
  port = Ractor::Port.new
  port << object
  port.receive == object
rescue Ractor::Error
  false
ensure
  port.close
end

def frozen?(object, copy)
  Ractor.shareable?(Ractor.make_shareable(object, copy: copy))
rescue Ractor::Error
  false
end

noted = Set[1]
noted.instance_variable_set(:@note, 1)
answers = [
  sent?(Set[1]),
  sent?([Set[1]]),
  sent?(Set[[1]]),
  sent?(Set[Set[1]]),
  sent?(noted),
  frozen?(Set[[1]], false),
  frozen?(Set[[1]], true)
]
"#{answers.map { |yes| yes ? "yes" : "no" }.join(" ")} (#{RUBY_DESCRIPTION})"
RUBY

for version in 4.0 head; do
  line=$(node --no-warnings run.mjs $version)
  printf '%s\n' "$line"
  [[ $line = "yes yes no no no yes no "* ]] || exit 1
done
