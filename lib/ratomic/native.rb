# frozen_string_literal: true

# The compiled extension. Installing the gem builds it; in a checkout bin/setup does. RubyGems puts it beside this file,
# that of Ruby 3.1 puts it beside ratomic.rb.
begin
  beside = File.expand_path("../ratomic.#{RbConfig::CONFIG["DLEXT"]}", __dir__)
  require File.file?(beside) ? beside : "ratomic/ratomic"
rescue LoadError => e
  remedy =
    if e.path == "ratomic/ratomic"
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
