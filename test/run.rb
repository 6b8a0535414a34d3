# frozen_string_literal: true

# Runs the suite, or the files and folders named on the command line; everything else there goes to minitest.
# Integration tests (test/integration) start real servers and run only when named.

begin
  require "minitest"
rescue LoadError
  abort "ratomic: this Ruby (#{RUBY_DESCRIPTION}) has no minitest. Install it (gem install minitest), " \
        "then run bin/test again."
end

$LOAD_PATH.unshift(__dir__)
named, options = ARGV.partition { |argument| File.directory?(argument) || argument.end_with?(".rb") }
ARGV.replace(options)

tests_in = ->(folder) { Dir[File.join(folder, "**", "*_{test,stress}.rb")].sort }
files = named.flat_map { |name| File.directory?(name) ? tests_in.call(name) : [name] }
files = tests_in.call(__dir__).grep_v(%r{/test/integration/}) if named.empty?
abort "ratomic: no tests in #{named.join(", ")}" if files.empty?
missing = files.reject { |file| File.file?(file) }
abort "ratomic: no such test file: #{missing.join(", ")}" unless missing.empty?

# A shell that starts the tests in the background has them ignore Ctrl-C, and with them every program that a test starts
# to interrupt it.
trap("INT", "DEFAULT")

require "test_helper"
mode = Ratomic::RACTORS ? "with Ractors" : "reduced mode: no Ractors, so the tests that need them are skipped"
puts "#{RUBY_DESCRIPTION} (#{mode})"
files.each { |file| require File.expand_path(file) }
