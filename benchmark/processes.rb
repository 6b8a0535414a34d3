# frozen_string_literal: true

# Worker processes beside the `parallel` library, a bare socket pair, and what the parent has in memory, on every Ruby
# that can fork: bin/exec benchmark/processes.rb [--rounds N] [--no-yjit] [--json FILE]
#
# The library is found where Ruby finds it, where Debian has it (ruby-parallel), or in the directory that PARALLEL
# in the environment names; without it the comparison is left out.

require "ratomic"
require "optparse"
require "json"
require_relative "workers/bench"
require_relative "workers/load"
require_relative "workers/processes"

options = { rounds: 5, json: nil, yjit: true }
OptionParser.new do |parser|
  parser.on("--rounds N", Integer, "rounds, of which the median counts (5)") { |count| options[:rounds] = count }
  parser.on("--[no-]yjit", "switch YJIT on (yes)") { |yes| options[:yjit] = yes }
  parser.on("--json FILE", "write the results there, too") { |file| options[:json] = file }
end.parse!

abort "benchmark/processes needs a system that can fork" if Ratomic::Workers::Processes.none?
RubyVM::YJIT.enable if options[:yjit] && defined?(RubyVM::YJIT.enable)

bench = WorkersBench::Bench.new(options[:rounds])
puts bench.machine
WorkersBench::Processes.new(bench).run
puts bench.verdict
File.write(options[:json], JSON.pretty_generate(bench.to_h)) if options[:json]
exit(bench.missed.empty?)
