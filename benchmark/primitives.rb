# frozen_string_literal: true

# Counter, Map and Queue against what one would use without them: bin/exec benchmark/primitives.rb [--rounds N]
# [--scale N] [--only NAME] [--yjit] [--json FILE]. All contestants of a group run in one process, in rounds of shuffled
# order; the medians are compared. Run it on a quiet machine.

require "ratomic"
require "optparse"
require_relative "primitives/contest"
require_relative "primitives/parallel"
require_relative "primitives/counters"
require_relative "primitives/maps"
require_relative "primitives/queues"
require_relative "primitives/collections"
require_relative "primitives/report"

options = { rounds: 7, scale: 1.0, only: nil, json: nil }
OptionParser.new do |parser|
  parser.on("--rounds N", Integer, "rounds, of which the median counts (7)") { |count| options[:rounds] = count }
  parser.on("--scale N", Float, "how long a round is (1)") { |factor| options[:scale] = factor }
  parser.on("--only NAME", "counter, map, queue or collection") { |name| options[:only] = name }
  parser.on("--yjit", "switch YJIT on") { options[:yjit] = true }
  parser.on("--json FILE", "write the results there, too") { |file| options[:json] = file }
end.parse!

if options[:yjit]
  abort "this Ruby has no YJIT" unless defined?(RubyVM::YJIT.enable)
  RubyVM::YJIT.enable
end

groups = [Primitives::Counters, Primitives::Maps, Primitives::Queues, Primitives::Collections]
contests = groups.select { |group| [nil, group::NAME].include?(options[:only]) }
                 .flat_map { |group| group.contests(options[:scale]) }
report = Primitives::Report.new
puts report.machine
contests.each { |contest| puts report.add(contest, contest.run(options[:rounds])) }
puts report.verdict
File.write(options[:json], report.to_json) if options[:json]
exit(report.missed.empty?)
