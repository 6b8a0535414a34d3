# frozen_string_literal: true

# Hours, not seconds: what a run of the suite is too short to see. All parts share the given minutes, run one after
# another, each in a process of its own, and print one verdict each.
#
#   bin/exec test/soak/run.rb --minutes 60 [--seed N] [--only NAME]
#
# NAME is a part or a folder of them (growth, chaos, walks, endings). Logs are in build/soak/.
require "optparse"
require_relative "support/schedule"
require_relative "support/execution"

# Started in the background it would have its programs ignore these, and they would never end by them.
%w[INT QUIT HUP].each { |signal| trap(signal, "DEFAULT") }

minutes = 60.0
seed = Random.new_seed % 100_000
only = nil
OptionParser.new do |options|
  options.banner = "bin/exec test/soak/run.rb [--minutes N] [--seed N] [--only NAME]"
  options.on("--minutes N", Float) { |number| minutes = number }
  options.on("--seed N", Integer) { |number| seed = number }
  options.on("--only NAME") { |name| only = name }
end.parse!

$stdout.sync = true
schedule = Soak::Schedule.new(minutes * 60, only)
abort "soak: no part is called #{only}; there are\n  #{Soak::Schedule.names.join("\n  ")}" if schedule.empty?

puts "#{RUBY_DESCRIPTION}, #{schedule.size} parts in #{minutes} minutes, seed #{seed}"
verdicts = schedule.map { |name, seconds| Soak::Execution.new(name, seconds, seed).verdict }
counts = %i[ok failed skip].map { |verdict| verdicts.count(verdict) }
passed, failed, skipped = counts
puts "#{passed} passed, #{failed} failed#{", #{skipped} skipped" if skipped.positive?}"
exit failed.zero?
