#!/usr/bin/env bash
# With `immediate_sweep: false` a minor collection makes a forked child copy eight times as many of its parent's pages.
#
# Version: CRuby 3.1.2 (Debian packages ruby3.1 and libruby3.1 3.1.2-7+deb12u1).
# Documented: `GC.start(immediate_sweep: false)` defers the sweeping. Of memory nothing is said; it looks like the
#   gentler of the two calls.
# Behaviour: the parent's heap has a few free slots on each of many full pages, and pages with nothing but free slots. A
#   child makes 20,000 objects, for which these last pages have room, and calls for a minor collection, 20 times. With
#   the lazy sweep it then has nearly the whole heap for itself, with the immediate sweep an eighth of that.
# Output seen: at once 1.66 MB, lazily 13.852 MB.
# Source in words (gc.c of 3.1): a sweep goes over the pages from the first to the last. The lazy sweep stops as soon as it
#   has found some free slots, and these are filled next: so a child fills the few free slots of the first pages, and
#   each of them costs a copy of its page. The immediate sweep puts every page with free slots at the head of a list; so
#   the last ones of the heap, which are the emptiest, are filled first.
#
# Needs Debian's apt-get and dpkg, and /proc. Exit status: 0 if it is still so, 1 if not, 77 if it cannot be tried.
set -eu

version=3.1.2-7+deb12u1
command -v apt-get >/dev/null && command -v dpkg >/dev/null && [ -r /proc/self/smaps_rollup ] ||
  { echo "needs apt-get, dpkg and /proc"; exit 77; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get download -qq "ruby3.1=$version" "libruby3.1=$version" >/dev/null 2>&1 ||
  { echo "the packages cannot be downloaded here"; exit 77; }
for package in ./*.deb; do dpkg -x "$package" .; done
LD_LIBRARY_PATH=$(dirname "$folder"/usr/lib/*/libruby-3.1.so.3.1)
export LD_LIBRARY_PATH

cat >run.rb <<'RUBY'
lazily = ARGV[0] == "lazily"
GC.disable
kept = Array.new(400_000) { |n| n.to_s }.each_with_index.reject { |_, n| (n % 16).zero? }.map(&:first)
GC.enable
GC.start
Array.new(100_000) { Object.new }
4.times { GC.start } # the objects that are kept are old now
own = -> { File.foreach("/proc/self/smaps_rollup").sum { |line| line[/\APrivate_\w+:\s+(\d+)/, 1].to_i } / 1000.0 }
reader, writer = IO.pipe
Process.wait(fork do
  before = own.call
  20.times do
    20_000.times { Object.new }
    GC.start(full_mark: false, immediate_sweep: !lazily)
  end
  writer.puts own.call - before
end)
puts reader.gets
kept.size
RUBY

ruby() { "$folder/usr/bin/ruby3.1" --disable-gems run.rb "$1"; }
at_once=$(ruby at_once)
lazily=$(ruby lazily)
printf 'at once %s MB, lazily %s MB\n' "$at_once" "$lazily"
awk "BEGIN { exit !($lazily > 4 * $at_once) }"
