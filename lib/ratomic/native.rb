# frozen_string_literal: true

# The compiled extension. Installing the gem builds it; in a checkout bin/setup does. RubyGems puts it beside this file,
# that of Ruby 3.1 puts it beside ratomic.rb. A gem that came compiled has one for each release of Ruby, in a folder of
# that name.
require "rbconfig" # RubyGems loads it, but may be off (--disable=gems)

begin
  file = "ratomic.#{RbConfig::CONFIG["DLEXT"]}"
  compiled = Dir.children(__dir__).grep(/\A\d+\.\d+\z/)
  release = RbConfig::CONFIG.values_at("MAJOR", "MINOR").join(".")
  here = ["..", ".", release].map { |folder| File.join(__dir__, folder, file) }.find { |path| File.file?(path) }
  require here || "ratomic/ratomic"
rescue LoadError => e
  remedy =
    if here.nil? && compiled.any?
      "it was compiled for Ruby #{compiled.sort.join(", ")}; install the gem that compiles it: " \
      "gem install ratomic --platform ruby"
    elsif e.path == "ratomic/ratomic"
      "it is not built for this Ruby"
    else
      "it was built for another Ruby, or is damaged"
    end
  raise LoadError, <<~MESSAGE
    ratomic cannot load its native extension: #{remedy} (#{RUBY_ENGINE} #{RUBY_VERSION}, #{RUBY_PLATFORM}).
    Installed as a gem: run `gem pristine ratomic --extensions` with this Ruby (needs Rust 1.85+ and libclang).
    In a checkout of ratomic: run bin/setup, and start programs with bin/exec FILE.
    The reason that Ruby gave: #{e.message}
  MESSAGE
end
