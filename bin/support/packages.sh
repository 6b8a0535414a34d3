# Debian's packages, where there are any. Nothing here asks a question; what it cannot do it says.

export DEBIAN_FRONTEND=noninteractive

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n DEBIAN_FRONTEND=noninteractive "$@"; fi
}

can_install() {
  have apt-get && { [ "$(id -u)" = 0 ] || { have sudo && sudo -n true 2>/dev/null; }; }
}

apt_candidate() { have apt-cache && apt-cache policy "$1" 2>/dev/null | sed -n 's/^ *Candidate: *//p'; }

# Installs the packages; tries once more with fresh lists, because the lists of a fresh machine are old or empty. One at
# a time, because apt does not wait for the lock of the lists.
apt_install() (
  log="$root/build/apt.log"
  install=(apt-get -o DPkg::Lock::Timeout=300 -y -qq --no-install-recommends install "$@")
  can_install || return 1
  ! have flock || { exec 8>"$root/build/.apt.lock" && flock 8; }
  say "installing $* with apt"
  printf '\n== %s\n' "$*" >>"$log"
  # 8 and 9, the lock of bin/setup: a server that a package starts must not inherit them.
  as_root "${install[@]}" </dev/null >>"$log" 2>&1 8>&- 9>&- && return
  as_root apt-get -o DPkg::Lock::Timeout=300 -qq update </dev/null >>"$log" 2>&1 8>&- 9>&-
  as_root "${install[@]}" </dev/null >>"$log" 2>&1 8>&- 9>&- && return
  say "apt could not install $*; its words are in $log"
  return 1
)
