# frozen_string_literal: true

# Required by bin/exec before the file that it runs: puts lib/, the extension built for this very Ruby and the gems that
# bin/setup found on the load path, also for the Rubies that this one starts.
root = File.expand_path("../..", __dir__)
build = File.join(root, "build", "#{RUBY_VERSION}-#{RUBY_PLATFORM}")
gems = File.join(build, "load_path")

paths = [File.join(root, "lib"), ENV.fetch("RATOMIC_SANITIZED", nil), build].compact
paths.concat(File.readlines(gems, chomp: true)) if File.exist?(gems)

$LOAD_PATH.unshift(*paths)
inherited = ENV.fetch("RUBYLIB", "").split(File::PATH_SEPARATOR)
ENV["RUBYLIB"] = (paths | inherited).join(File::PATH_SEPARATOR)
