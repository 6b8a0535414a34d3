#!/usr/bin/env bash
# A method in C that is not marked as safe for Ractors raises in a Ractor only until YJIT has compiled the call.
#
# Version: CRuby 4.0.5 with YJIT; 4.1.0dev of 2026-08-22 does the same.
# Documented: a method of an extension that has not called rb_ext_ractor_safe raises Ractor::UnsafeError when it is
#   called from another Ractor than the main one (doc/extension.rdoc).
# Behaviour: a method that calls Etc.getpwuid is called 200 times in a Ractor. Without YJIT each call raises. With YJIT
#   the first ones do, and the others run; after the main Ractor has called the method, all of them run.
# Output seen: without YJIT 200 of 200 calls raise, with YJIT 29, after 100 calls in the main Ractor 0.
# Source in words (vm_method.c, vm_insnhelper.c, yjit/src/codegen.rs of 4.0.5): a method in C has its function and an
#   invoker. The check is in the invoker of a method that is not marked; compiled code calls the function itself.
#
# No package registry has such a Ruby with YJIT: it takes the ruby on PATH, or RUBY=path. Exit status: 0 if it is still
# so, 1 if not, 77 if it cannot be tried.
set -eu

ruby=${RUBY:-ruby}
"$ruby" --yjit -e 'exit(defined?(Ractor::Port) ? 0 : 1)' 2>/dev/null || { echo "needs Ruby 4.0 with YJIT"; exit 77; }

# raised OPTION CALLS: how many of 200 calls in a Ractor raise, after so many calls in the main Ractor.
raised() {
  "$ruby" -W:no-experimental "$1" -e '
    require "etc"
    def user = Etc.getpwuid.uid
    Integer(ARGV[0]).times { user }
    print Ractor.new { 200.times.count { !user rescue Ractor::UnsafeError === $! } }.value
  ' "$2"
}

interpreted=$(raised --disable-yjit 0)
compiled=$(raised --yjit 0)
called_before=$(raised --yjit 100)
printf 'without YJIT %s, with YJIT %s, after calls in the main Ractor %s\n' "$interpreted" "$compiled" "$called_before"
[ "$interpreted" = 200 ] && [ "$compiled" -lt 200 ] && [ "$called_before" = 0 ]
