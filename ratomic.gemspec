# frozen_string_literal: true

require_relative "lib/ratomic/version"

Gem::Specification.new do |spec|
  spec.name = "ratomic"
  spec.version = Ratomic::VERSION
  spec.authors = ["Ratomic authors"]
  spec.summary = "Shared data structures and a worker pool for Ractors"
  spec.description = "Counter, Map and Queue that all Ractors share (native, in Rust), pools that move objects " \
                     "between Ractors or keep them in one, and a Ractor worker pool with futures and supervision."
  spec.license = "MIT"

  spec.required_ruby_version = ">= 3.1"
  spec.required_rubygems_version = ">= 3.3.11" # the first that builds Cargo.toml extensions
  spec.metadata["rubygems_mfa_required"] = "true"

  # The whole Cargo workspace: without its root and lock file the extension does not build.
  spec.files = Dir.chdir(__dir__) do
    Dir["exe/*", "lib/**/*.{rb,css,js}", "sig/**/*.rbs", "ext/**/*.{rs,toml}", "Cargo.{toml,lock}", "*.md",
        "docs/**/*.md", "LICENSE.txt"].sort
  end
  spec.require_paths = ["lib"]
  spec.bindir = "exe"
  spec.executables = ["ratomic"]
  spec.extensions = ["ext/ratomic/Cargo.toml"]
end
