# frozen_string_literal: true

require "test_helper"
require "fileutils"
require "tmpdir"

# What happens where the extension is missing or broken: an error that says what to do, never a half-loaded library.
class NativeTest < Minitest::Test
  LIB = File.expand_path("../../lib", __dir__)
  TRY = <<~'RUBY'
    begin
      require "ratomic"
      puts "loaded"
    rescue LoadError => e
      puts "LoadError", e.message, "cause: #{e.cause&.message}"
    end
  RUBY

  def test_a_missing_extension_fails_at_require_and_says_what_to_do
    said = load_copy
    assert_match(/\ALoadError$/, said)
    assert_match(%r{bin/setup|gem install|gem pristine}, said)
    assert_match(/#{Regexp.escape(RUBY_VERSION)}/, said, "names the Ruby that it looked for")
  end

  def test_a_broken_extension_fails_at_require_with_the_loaders_own_words
    said = load_copy { |native| File.write(native, "this is no shared library") }
    assert_match(/\ALoadError$/, said)
    assert_match(%r{bin/setup|gem install|gem pristine}, said)
    assert_match(/ratomic\.#{RbConfig::CONFIG["DLEXT"]}/, said)
    assert_match(/invalid ELF|too short|not a mach-o|no suitable image|slice is not valid/i, said)
  end

  def test_a_library_without_our_entry_point_is_named_and_nothing_is_swallowed
    other = foreign_library
    skip "this Ruby has loaded no other library to put in its place" unless other
    said = load_copy { |native| FileUtils.cp(other, native) }
    assert_match(/\ALoadError$/, said)
    assert_match(/Init_ratomic/, said)
  end

  def test_it_loads_without_rubygems
    said = run_command(RbConfig.ruby, "--disable=gems", *$LOAD_PATH.map { |folder| "-I#{folder}" }, "-e", TRY)
    assert_equal "loaded\n", assert_success(said).out
  end

  private

  def foreign_library
    libraries = $LOADED_FEATURES.grep(/\.#{RbConfig::CONFIG["DLEXT"]}\z/)
    libraries.find { |file| File.file?(file) && !file.end_with?("ratomic.#{RbConfig::CONFIG["DLEXT"]}") }
  end

  # Copies lib/ alone, gives the block the place of the extension, and loads the copy in a new process.
  def load_copy
    Dir.mktmpdir("ratomic-native") do |folder|
      FileUtils.cp_r(LIB, folder)
      native = File.join(folder, "lib", "ratomic", "ratomic.#{RbConfig::CONFIG["DLEXT"]}")
      yield native if block_given?
      lib = File.join(folder, "lib")
      run_command(RbConfig.ruby, "-I", lib, "-e", TRY, env: { "RUBYLIB" => nil, "RUBYOPT" => nil }).out
    end
  end
end
