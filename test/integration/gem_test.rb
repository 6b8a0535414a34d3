# frozen_string_literal: true

require "test_helper"
require "rubygems/package"
require "tmpdir"

# Builds the gem and installs it into an empty GEM_HOME, as its users do (this compiles the extension: a minute or so).
class GemTest < Minitest::Test
  ROOT = File.expand_path("../..", __dir__)
  GEM = ["-rrubygems/gem_runner", "-e", "Gem::GemRunner.new.run(ARGV)", "--"].freeze

  # What a user's shell does not have: our load path, Bundler's and RubyGems' settings of this process.
  CLEAN = { "RUBYLIB" => nil, "RUBYOPT" => nil, "BUNDLE_GEMFILE" => nil, "GEM_PATH" => nil, "GEM_HOME" => nil }.freeze

  USE = <<~'RUBY'
    require "ratomic"
    counter = Ratomic::Counter.new
    future = Ratomic::Workers.dispatch_async(["[1]", "{"], Ratomic::Workers::ParseJSON)
    puts counter.increment, future.value(timeout: 60).map(&:class)
    puts $LOADED_FEATURES.grep(/ratomic\.#{RbConfig::CONFIG["DLEXT"]}\z/)
  RUBY

  def test_the_gem_installs_into_an_empty_gem_home_and_loads_there
    Dir.mktmpdir("ratomic-gem") do |folder|
      package = build(folder)
      home = File.join(folder, "home")
      gem("install", "--local", "--no-document", package, home: home, seconds: 300)
      used = run_command(RbConfig.ruby, "-W:no-experimental", "-e", USE, chdir: folder, env: environment(home))
      one, array, failure, library = assert_success(used).out.lines(chomp: true)
      assert_equal %w[1 Array Ratomic::Workers::Failure], [one, array, failure]
      assert library.start_with?(File.realpath(home)), "#{library} is not the installed one (in #{home})"
    end
  end

  def test_the_gem_holds_all_that_its_build_needs_and_nothing_built
    Dir.mktmpdir("ratomic-gem") do |folder|
      spec = Gem::Package.new(build(folder)).spec
      %w[Cargo.toml Cargo.lock ext/ratomic/Cargo.toml ext/ratomic/build.rs ext/ratomic/src/lib.rs lib/ratomic.rb
         ext/ratomic-core/Cargo.toml README.md CHANGELOG.md LICENSE.txt].each do |file|
        assert_includes spec.files, file
      end
      assert_empty spec.files.grep(%r{\.(so|bundle|o)\z|(\A|/)(target|build|test)/})
      assert_empty spec.runtime_dependencies
      assert_equal ["ext/ratomic/Cargo.toml"], spec.extensions
    end
  end

  private

  def build(folder)
    package = File.join(folder, "ratomic.gem")
    gem("build", "ratomic.gemspec", "--output", package, home: File.join(folder, "none"))
    package
  end

  def gem(*arguments, home:, seconds: 60)
    assert_success run_command(RbConfig.ruby, *GEM, *arguments, seconds:, chdir: ROOT, env: environment(home))
  end

  def environment(home)
    CLEAN.merge("GEM_HOME" => home, "GEM_PATH" => home)
  end
end
