# The gems that the tests need: minitest, and rake for those who like it. Where Ruby does not have them by itself, their
# load path goes into build/<id>/load_path, one folder a line; bin/exec reads it.

gems_fresh() {
  local folder
  [ -f "$gems_list" ] || return 1
  while read -r folder; do [ -d "$folder" ] || return 1; done <"$gems_list"
}

# Whether the Ruby loads library $2 with the folders that file $1 lists.
loads() {
  local try='$LOAD_PATH.unshift(*File.readlines(ARGV[0], chomp: true)); require ARGV[1]'
  env -u RUBYOPT -u RUBYLIB "$ruby" -e "$try" -- "$@" 2>/dev/null
}

# One quick question to the place where Bundler would fetch from (a mirror, if it is told of one), because by itself it
# tries for over a minute.
rubygems_reached() {
  limited 6 env -u RUBYOPT -u RUBYLIB "$ruby" -rbundler -rnet/http -rtimeout -e '
    uri = Bundler.settings.mirror_for("https://rubygems.org")
    Timeout.timeout(3) do
      Net::HTTP.start(uri.host, uri.port, use_ssl: uri.scheme == "https") { |http| http.head("/") }
    end' </dev/null >/dev/null 2>&1
}

from_bundler() {
  local log="$root/build/bundler.log"
  rubygems_reached || return 1
  say "installing the gems that the tests need with Bundler"
  (
    cd "$root" || exit 1
    export BUNDLE_GEMFILE="$root/Gemfile" BUNDLE_PATH="$root/build/$ruby_id/gems" BUNDLE_RETRY=1 BUNDLE_TIMEOUT=20
    "$ruby" -rbundler -rbundler/cli -e 'Bundler::CLI.start(%w[install --quiet])' </dev/null >"$log" 2>&1 \
      && "$ruby" -rbundler/setup -e '
        ours = Bundler.load.specs.reject { |spec| %w[bundler ratomic].include?(spec.name) }
        puts ours.flat_map(&:full_require_paths)' >"$gems_list.new" 2>>"$log" \
      && keep_list
  ) && return
  say "Bundler could not install them (its words are in $log); trying the distribution's packages"
  return 1
}

# Pure Ruby, so Debian's own serve any Ruby. Unpacked into build/ where installing them is not possible or not allowed.
from_packages() {
  local unpacked="$root/build/gems" package
  list_packaged / && return
  if have apt-get && have dpkg; then
    if ! list_packaged "$unpacked"; then
      mkdir -p "$unpacked"
      for package in ruby-minitest rake; do
        say "fetching Debian's $package into build/gems"
        (cd "$unpacked" && apt-get -qq download "$package" && dpkg -x "$package"_*.deb . && rm -f "$package"_*.deb) \
          </dev/null >>"$root/build/apt.log" 2>&1
      done
    fi
    list_packaged "$unpacked" && return
    apt_install ruby-minitest rake && list_packaged / && return
  fi
  return 1
}

# Writes the list from the packages under $1.
list_packaged() {
  local folder=${1%/}/usr/share/rubygems-integration/all/gems
  ls -d "$folder"/minitest-*/lib >/dev/null 2>&1 || return 1
  ls -d "$folder"/minitest-*/lib "$folder"/rake-*/lib 2>/dev/null >"$gems_list.new"
  keep_list
}

# Keeps the new list when minitest loads with it; older ones need a library that today's Ruby no longer has.
keep_list() {
  loads "$gems_list.new" minitest || printf '%s\n' "$root/bin/support/compat" >>"$gems_list.new"
  loads "$gems_list.new" minitest && mv "$gems_list.new" "$gems_list"
}

need_gems() {
  if loads /dev/null minitest; then : >"$gems_list"; return; fi
  from_bundler || from_packages \
    || say "found no minitest, so bin/test cannot run yet: install the gem minitest for $ruby, then run bin/setup again"
}
