# The native extension: what its build needs, and the build. Works on $ruby as choose_ruby left it.

extension_files() {
  extension_folder="$root/build/$ruby_id"
  extension="$extension_folder/ratomic/ratomic.$ruby_dlext"
  extension_stamp="$extension_folder/stamp"
}

# Built for this very Ruby, and no source (nor a folder that lost one) is newer than the moment that build began.
extension_fresh() {
  [ -f "$extension" ] && [ -f "$extension_stamp" ] && [ "$(cat "$extension_stamp")" = "$ruby" ] \
    && [ -z "$(find "$root"/Cargo.* "$root/ext" -newer "$extension_stamp" -print 2>&1 | head -1)" ]
}

asked_rust() { sed -n 's/^rust-version = "\(.*\)"/\1/p' "$root/Cargo.toml"; }

at_least() { [ "$(printf '%s\n' "$1" "$2" | sort -V | head -1)" = "$2" ]; }

# A cargo that runs and is new enough: the one on the PATH, else rustup's in this user's home.
find_cargo() {
  local home version
  home=$(unset HOME; echo ~)
  for cargo in cargo "$HOME/.cargo/bin/cargo" "$home/.cargo/bin/cargo"; do
    have "$cargo" || continue
    version=$("$cargo" --version 2>/dev/null | cut -d' ' -f2)
    if [ -z "$version" ] && [ -d "$home/.rustup" ]; then # rustup looks for toolchains in HOME, which may be another
      version=$(RUSTUP_HOME="$home/.rustup" "$cargo" --version 2>/dev/null | cut -d' ' -f2)
      [ -n "$version" ] && export RUSTUP_HOME="$home/.rustup"
    fi
    [ -n "$version" ] && at_least "$version" "$(asked_rust)" || continue
    PATH="$(dirname "$(command -v "$cargo")"):$PATH"
    return
  done
  return 1
}

need_cargo() {
  find_cargo && return
  if at_least "$(apt_candidate cargo | sed 's/^[0-9]*://')" "$(asked_rust)"; then
    apt_install cargo && find_cargo && return
  fi
  die "the build needs Rust $(asked_rust) or newer, and neither this machine nor its packages have it." \
    "Install it from https://rustup.rs, then run bin/setup again."
}

# True where bindgen will find a libclang and the headers that belong to it.
have_libclang() {
  local folder library
  for folder in "${LIBCLANG_PATH:-}" "$(llvm-config --libdir 2>/dev/null)" /usr/lib/llvm-*/lib /usr/lib/*-linux-gnu* \
    /usr/lib64 /usr/lib /usr/local/lib /opt/homebrew/opt/llvm/lib /usr/local/opt/llvm/lib \
    /Library/Developer/CommandLineTools/usr/lib; do
    [ -n "$folder" ] || continue
    for library in "$folder"/libclang.so* "$folder"/libclang-*.so* "$folder"/libclang.dylib; do
      [ -e "$library" ] && return
    done
  done
  return 1
}

have_clang_headers() {
  local header
  for header in /usr/lib/llvm-*/lib/clang/*/include/stddef.h /usr/lib/clang/*/include/stddef.h; do
    [ -f "$header" ] && return
  done
  return 1
}

# Installs what is missing, or says what to install.
need_build_tools() {
  local missing=()
  have cc || missing+=(gcc libc6-dev)
  if have apt-get && [ ! -f /usr/include/stdlib.h ]; then missing+=(libc6-dev); fi
  if ! have_libclang; then
    missing+=(libclang-dev)
  elif have apt-get && ! have_clang_headers; then
    missing+=(libclang-dev)
  fi
  if [ ! -f "$ruby_headers/ruby.h" ]; then
    case "$ruby" in
      /usr/bin/*) missing+=("ruby${ruby_version%.*}-dev") ;;
      *) die "$ruby has no headers ($ruby_headers/ruby.h). Install its development files, or name another Ruby:" \
        "RATOMIC_RUBY=/path/to/ruby" ;;
    esac
  fi
  [ ${#missing[@]} = 0 ] && return
  apt_install "${missing[@]}" && return
  die "the build needs a C compiler, libclang and Ruby's headers. Install what is missing (Debian's names:" \
    "${missing[*]}), then run bin/setup again."
}

build_extension() {
  local log="$extension_folder/build.log" target="$extension_folder/target" suffix=so
  need_build_tools
  need_cargo
  mkdir -p "$extension_folder/ratomic"
  say "building the extension for Ruby $ruby_version (the first time takes some minutes)"
  printf '%s\n' "$ruby" >"$extension_stamp.new"
  if ! env -u CARGO_BUILD_TARGET RUBY="$ruby" cargo build --release --locked --target-dir "$target" \
    --manifest-path "$root/ext/ratomic/Cargo.toml" </dev/null >"$log" 2>&1 9>&-; then
    tail -n 40 "$log" >&2
    die "the extension did not build; all that cargo said is in $log"
  fi
  [ "$(uname)" = Darwin ] && suffix=dylib
  # Renamed into place: a process that has the old one mapped keeps it.
  cp "$target/release/libratomic.$suffix" "$extension.new" && mv "$extension.new" "$extension" \
    && mv "$extension_stamp.new" "$extension_stamp" || die "could not put the extension into $extension"
}
