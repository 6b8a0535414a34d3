# Sourced by the scripts in bin/: where the project is, how they speak, and an environment that `env -i` cannot break.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
export PATH="${PATH:-/usr/local/bin:/usr/bin:/bin}"
[ -n "${HOME:-}" ] || HOME=$(unset HOME; echo ~)
export HOME
[ -n "${LC_ALL:-${LC_CTYPE:-${LANG:-}}}" ] || export LANG=C.UTF-8

say() { printf '%s\n' "ratomic: $*" >&2; }
die() { say "$@"; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }

# Runs "$@" for at most $1 seconds where the machine can do that (macOS has no timeout).
limited() {
  local seconds=$1
  shift
  if have timeout; then timeout -k 10 "$seconds" "$@"; else "$@"; fi
}
