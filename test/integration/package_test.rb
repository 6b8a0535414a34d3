# frozen_string_literal: true

require "test_helper"
require "rubygems/package"
require "tmpdir"
require "fileutils"

# Builds the gem that comes compiled, and installs it with each of the Rubies that it is for into an empty GEM_HOME,
# where there is no Rust.
class PackageTest < Minitest::Test
  ROOT = File.expand_path("../..", __dir__)
  GEM = ["-rrubygems/gem_runner", "-e", "Gem::GemRunner.new.run(ARGV)", "--"].freeze
  CLEAN = %w[RUBYLIB RUBYOPT BUNDLE_GEMFILE GEM_PATH GEM_HOME RATOMIC_RUBY].to_h { |name| [name, nil] }.freeze
  USE = <<~'RUBY'
    require "ratomic"
    future = Ratomic::Workers.dispatch_async(["[1]", "{"], Ratomic::Workers::ParseJSON, min_batch: 0)
    puts Ratomic::Counter.new.increment, future.value(timeout: 20).map(&:class)
    puts $LOADED_FEATURES.grep(/ratomic\.#{RbConfig::CONFIG["DLEXT"]}\z/)
  RUBY

  def setup
    skip "platform gems are made for Linux here" unless RUBY_PLATFORM.include?("linux")
    @folder = Dir.mktmpdir("ratomic-package")
    made = assert_success(run_command(File.join(ROOT, "bin/package"), @folder, seconds: 900, env: CLEAN))
    @source, *@compiled = made.out.lines(chomp: true).last(3)
  end

  def teardown
    FileUtils.rm_rf(@folder) if @folder
  end

  def test_the_compiled_gem_installs_and_runs_without_rust_on_each_of_its_rubies
    spec = Gem::Package.new(compiled_for(RbConfig.ruby)).spec
    releases = spec.files.grep(/\.so\z/).map { |file| file[%r{\Alib/ratomic/([\d.]+)/ratomic\.so\z}, 1] }
    assert_includes releases, RUBY_VERSION[/\A\d+\.\d+/]
    rubies = releases.to_h { |release| [release, ruby_of(release)] }
    rubies.each { |release, ruby| assert_runs(release, ruby) }
    puts "installed and run with Ruby #{releases.join(", ")}"
  end

  def test_the_compiled_gem_holds_no_source_and_says_what_it_is_for
    @compiled.each do |file|
      spec = Gem::Package.new(file).spec
      assert_match(/\A#{Gem::Platform.local}(-gnu)?\z/,
                   File.basename(file, ".gem").delete_prefix("ratomic-#{spec.version}-"))
      assert_empty spec.extensions
      assert_empty spec.files.grep(/\.rs\z|Cargo/)
      assert_includes spec.executables, "ratomic"
      assert spec.required_ruby_version.satisfied_by?(Gem.ruby_version)
    end
    assert_equal ["ext/ratomic/Cargo.toml"], Gem::Package.new(@source).spec.extensions
  end

  # A Ruby between those that it is for is told what to do.
  def test_a_ruby_that_it_is_not_for_is_told_so
    home = install(RbConfig.ruby)
    library = Dir[File.join(home, "gems/ratomic-*/lib/ratomic")].fetch(0)
    FileUtils.mv(File.join(library, RUBY_VERSION[/\A\d+\.\d+/]), File.join(library, "1.0"))
    result = run_command(RbConfig.ruby, "-e", "require 'ratomic'", env: environment(home), chdir: @folder)
    refute_predicate result, :success?
    assert_match(/it was compiled for Ruby 1\.0.*gem install ratomic --platform ruby/, result.err)
  end

  private

  # What RubyGems would choose there.
  def compiled_for(ruby)
    version = run_command(ruby, "-e", "print Gem::VERSION", env: CLEAN).out
    gnu, plain = @compiled.partition { |file| file.end_with?("-gnu.gem") }
    Gem::Version.new(version) >= Gem::Version.new("3.3.22") ? gnu.fetch(0) : plain.fetch(0)
  end

  # Those that bin/package looks for.
  def ruby_of(release)
    places = [RbConfig.ruby, "/usr/bin/ruby", *Dir["/opt/ruby*/bin/ruby"], *Dir["/opt/rubies/*/bin/ruby"],
              *Dir[File.expand_path("~/.{rbenv,asdf,rubies}/**/bin/ruby")], *Dir["/usr/bin/ruby[0-9]*"]]
    places.find do |ruby|
      File.executable?(ruby) &&
        run_command(ruby, "--disable-gems", "-e", "print RUBY_VERSION", env: CLEAN).out.start_with?("#{release}.")
    end
  end

  def assert_runs(release, ruby)
    home = install(ruby)
    used = run_command(ruby, "-W:no-experimental", "-e", USE, chdir: @folder, env: environment(home))
    one, array, failure, library = assert_success(used).out.lines(chomp: true)
    assert_equal %w[1 Array Ratomic::Workers::Failure], [one, array, failure]
    assert_equal "lib/ratomic/#{release}/ratomic.so", library[%r{lib/ratomic/.*}]
    assert library.start_with?(File.realpath(home)), library
    top = run_command(ruby, File.join(home, "bin/ratomic"), "top", "/nowhere", env: environment(home), chdir: @folder)
    assert_match(/ENOENT/, top.out, top.err)
  end

  # @return [String] the GEM_HOME
  def install(ruby)
    home = Dir.mktmpdir("home", @folder)
    assert_success run_command(ruby, *GEM, "install", "--local", "--no-document", compiled_for(ruby),
                               seconds: 120, chdir: @folder, env: environment(home))
    refute_path_exists File.join(@folder, "rust-was-called")
    home
  end

  # Where somebody asked for Rust, we would know.
  def environment(home)
    bin = File.join(@folder, "bin")
    unless File.directory?(bin)
      FileUtils.mkdir(bin)
      %w[cargo rustc cc gcc make].each do |name|
        File.write(File.join(bin, name), "#!/bin/sh\ntouch #{@folder}/rust-was-called\nexit 1\n", perm: 0o755)
      end
    end
    CLEAN.merge("GEM_HOME" => home, "GEM_PATH" => home, "PATH" => "#{bin}:#{ENV.fetch("PATH")}")
  end
end
