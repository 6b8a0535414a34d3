# Debian's packages, where there are any. Nothing here asks a question; what it cannot do it says.

export DEBIAN_FRONTEND=noninteractive

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n DEBIAN_FRONTEND=noninteractive "$@"; fi
}

can_install() {
  have apt-get && { [ "$(id -u)" = 0 ] || { have sudo && sudo -n true 2>/dev/null; }; }
}

apt_candidate() { have apt-cache && apt-cache policy "$1" 2>/dev/null | sed -n 's/^ *Candidate: *//p'; }

# Installs the packages; tries once more with fresh lists, because the lists of a fresh machine are old or empty.
apt_install() {
  local log="$root/build/apt.log"
  local install=(apt-get -o DPkg::Lock::Timeout=300 -y -qq --no-install-recommends install "$@")
  can_install || return 1
  say "installing $* with apt"
  # 9 is the lock of bin/setup: a server that a package starts must not inherit it.
  as_root "${install[@]}" </dev/null >"$log" 2>&1 9>&- && return
  as_root apt-get -o DPkg::Lock::Timeout=300 -qq update </dev/null >>"$log" 2>&1 9>&-
  as_root "${install[@]}" </dev/null >>"$log" 2>&1 9>&- && return
  say "apt could not install $*; its words are in $log"
  return 1
}
