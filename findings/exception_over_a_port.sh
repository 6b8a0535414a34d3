#!/usr/bin/env bash
# An exception that is sent over a Ractor::Port of Ruby 4.0 arrives with an empty backtrace, and most NoMethodErrors
# cannot be sent at all.
#
# Version: CRuby 4.0.0 and 4.1.0dev of 2026-08-01 (npm packages @ruby/4.0-wasm-wasi and @ruby/head-wasm-wasi 2.10.1);
#   native 4.0.5 does as 4.0.0. Head sends backtraces, and native 4.1.0dev of 2026-08-22 NoMethodErrors too.
# Documented: what is sent is deeply copied. An exception that ends a Ractor comes home whole, as the cause of a
#   Ractor::RemoteError; and Marshal copies an exception with its backtrace.
# Behaviour: a worker that rescues an error and sends it as its answer loses where it was raised: backtrace is [] and not
#   nil, so a program that asks whether there is one believes that there is. The backtrace of its cause is lost too. One
#   that was set by hand (an Array of Strings) crosses. A NoMethodError or NameError raises Ractor::Error ("can not copy
#   NameError::message object.") if its receiver is not shareable, also after its message was read. With move: true every
#   exception that was raised is refused.
# Output seen: whether the original has a backtrace, lines of that of the copy, of its cause, of one that was set by hand,
#   whether Marshal's is as the original's; a NoMethodError of nil, of a String. 4.0.0: true, 0, 0, 1, true, sent,
#   refused; head: true, 4, 4, 1, true, sent, refused.
# Source in words: a raised exception refers to a native object with the frames, and the deep copy (ractor.c) makes a
#   native object anew, without what is in it. The message of a NameError is a native object too, from which the text is
#   made when somebody reads it; it refers to the receiver, and a native object that refers to something that is not
#   shareable is refused. Head carries the frames along; the later snapshot sends what it cannot copy by Marshal.
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
def send_to_port(object)
  port = Ractor::Port.new
  port << object
  port.receive
ensure
  port.close
end

def sent?(object)
  send_to_port(object) ? "sent" : "nothing"
rescue Ractor::Error
  "refused"
end

def rescued
  yield
rescue StandardError => e
  e
end

inner = rescued { raise "inner" }
outer = rescued { raise ArgumentError, "outer", cause: inner }
by_hand = rescued { raise RuntimeError, "by hand", ["file.rb:1"] }
copy = send_to_port(outer)
by_marshal = Marshal.load(Marshal.dump(outer))
results = [
  outer.backtrace.size.positive?,
  copy.backtrace.size,
  copy.cause.backtrace.size,
  send_to_port(by_hand).backtrace.size,
  by_marshal.backtrace == outer.backtrace,
  sent?(rescued { nil.missing }),
  sent?(rescued { "text".missing })
]
"#{results.join(" ")} (#{RUBY_DESCRIPTION})"
RUBY

released=$(node --no-warnings run.mjs 4.0)
head=$(node --no-warnings run.mjs head)
printf '%s\n' "$released" "$head"
[[ $released = "true 0 0 1 true sent refused "* && $head = "true 4 4 1 true sent refused "* ]]
