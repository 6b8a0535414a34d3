# Which Ruby to use. `choose_ruby` sets $ruby (absolute path), $ruby_mode (full: has Ractor::Port; reduced: CRuby 3.1 up
# to 4.0), $ruby_version, $ruby_id (names its folder under build/), $ruby_dlext and $ruby_headers.

probe='exit 1 unless RUBY_ENGINE == "ruby" && (RUBY_VERSION.split(".").map(&:to_i) <=> [3, 1]) >= 0
puts defined?(Ractor::Port) ? "full" : "reduced", RUBY_VERSION, "#{RUBY_VERSION}-#{RUBY_PLATFORM}",
     [RbConfig.ruby, ARGV[0]].find { |path| File.executable?(path) }, # the first names what a shim stands for
     RbConfig::CONFIG["DLEXT"], RbConfig::CONFIG["rubyhdrdir"]'

# A Ruby is asked for the feature; its number is not believed. False where $1 is no CRuby 3.1 or newer.
ask_ruby() {
  local path answer
  path=$(command -v "$1") || return 1
  answer=$(limited 10 env -u RUBYOPT -u RUBYLIB "$path" --disable-gems -rrbconfig -e "$probe" "$path" \
    </dev/null 2>/dev/null) || return 1
  {
    read -r ruby_mode && read -r ruby_version && read -r ruby_id && read -r ruby && read -r ruby_dlext \
      && read -r ruby_headers
  } <<<"$answer"
}

full_ruby() { [ -x "$1" ] && ask_ruby "$1" && [ "$ruby_mode" = full ]; }

newest_first() { printf '%s\n' "$@" | sort -rV; }

# The Rubies that version managers and builds by hand leave, one a line: place by place, the newest first.
installed_rubies() {
  local place
  for place in /opt/ruby-4 /opt/rubies/ "${RBENV_ROOT:-$HOME/.rbenv}/versions/" \
    "${ASDF_DATA_DIR:-$HOME/.asdf}/installs/ruby/" "${MISE_DATA_DIR:-$HOME/.local/share/mise}/installs/ruby/" \
    "$HOME/.rubies/"; do
    newest_first "$place"*/bin/ruby
  done
}

installed_full_ruby() {
  local candidate
  while read -r candidate; do
    full_ruby "$candidate" && return
  done < <(installed_rubies)
  return 1
}

# Has a version manager that is here install a 4.0; what it says goes to build/ruby-install.log.
managed_full_ruby() {
  local version log="$root/build/ruby-install.log"
  if have mise && version=$(limited 20 mise latest ruby@4 2>/dev/null) && [ -n "$version" ]; then
    say "installing Ruby $version with mise (takes minutes; $log)"
    mise install --yes "ruby@$version" </dev/null >"$log" 2>&1 && installed_full_ruby && return 0
  fi
  if have asdf && version=$(limited 20 asdf latest ruby 4 2>/dev/null) && [ -n "$version" ]; then
    say "installing Ruby $version with asdf (takes minutes; $log)"
    asdf install ruby "$version" </dev/null >"$log" 2>&1 && installed_full_ruby && return 0
  fi
  if have rbenv && version=$(limited 20 rbenv install --list 2>/dev/null | sed -n 's/^ *\(4\.[0-9.]*\)$/\1/p') \
    && [ -n "$version" ]; then
    version=$(newest_first $version | head -1)
    say "installing Ruby $version with rbenv (takes minutes; $log)"
    rbenv install --skip-existing "$version" </dev/null >"$log" 2>&1 && installed_full_ruby && return 0
  fi
  if have ruby-install; then # what chruby's users install with
    say "installing Ruby 4.0 with ruby-install (takes minutes; $log)"
    ruby-install --no-reinstall ruby 4.0 </dev/null >"$log" 2>&1 && installed_full_ruby && return 0
  fi
  return 1
}

packaged_full_ruby() {
  local major
  major=$(apt_candidate ruby | sed -nE 's/^([0-9]+:)?([0-9]+)\..*/\2/p')
  [ "${major:-0}" -ge 4 ] && apt_install ruby ruby-dev && full_ruby /usr/bin/ruby
}

# The newest CRuby from 3.1 on that the distribution or the PATH has.
reduced_ruby() {
  local candidate best='' best_version=0
  for candidate in /usr/bin/ruby /usr/bin/ruby[0-9]* "$(command -v ruby)"; do
    [ -x "$candidate" ] && ask_ruby "$candidate" || continue
    [ "$(newest_first "$best_version" "$ruby_version" | head -1)" = "$best_version" ] && continue
    best=$ruby best_version=$ruby_version
  done
  [ -n "$best" ] && ask_ruby "$best"
}

choose_ruby() {
  local searched="$root/build/.searched"
  if [ -n "${RATOMIC_RUBY:-}" ]; then
    ask_ruby "$RATOMIC_RUBY" \
      || die "RATOMIC_RUBY=$RATOMIC_RUBY does not run, or is no CRuby 3.1 or newer. Name such a Ruby, or unset it."
    return
  fi
  have ruby && full_ruby "$(command -v ruby)" && return
  installed_full_ruby && return
  # Managers and package lists are slow to ask; a search that found nothing holds for a day.
  if [ -z "$(find "$searched" -mmin -1440 2>/dev/null)" ]; then
    managed_full_ruby && return
    packaged_full_ruby && return
    touch "$searched"
  fi
  reduced_ruby && return
  apt_install ruby && reduced_ruby && return
  die "found no Ruby. Install Ruby 4.0 or newer (3.1 is enough for the reduced mode), or name one:" \
    "RATOMIC_RUBY=/path/to/ruby bin/setup"
}
