# frozen_string_literal: true

# Ratomic::Workers against a plain thread-coordinated pool over ports (workers/talk_pool.rb) and against what one would
# use without either: bin/exec benchmark/workers.rb [--rounds N] [--only NAME,...] [--no-yjit] [--json FILE]
#
# All that is compared runs in one process, in rounds of shuffled order, and medians of the rounds are compared. (The
# order is shuffled because each contestant pays for the garbage of the one before.) Run it on a quiet machine.

require "ratomic"
require "optparse"
require "json"
require_relative "workers/bench"
require_relative "workers/talk_pool"
require_relative "workers/load"
require_relative "workers/references"
require_relative "workers/dispatching"
require_relative "workers/documents"
require_relative "workers/owned"
require_relative "workers/grid"
require_relative "workers/items"
require_relative "workers/streams"
require_relative "workers/long_stream"
require_relative "workers/upkeep"

options = { rounds: 5, only: nil, json: nil, yjit: true }
OptionParser.new do |parser|
  parser.on("--rounds N", Integer, "rounds, of which the median counts (5)") { |count| options[:rounds] = count }
  parts = "references, dispatching, documents, owned, items, streams, long_stream, grid, upkeep"
  parser.on("--only NAMES", Array, "of: #{parts}") { |names| options[:only] = names }
  parser.on("--[no-]yjit", "switch YJIT on (yes)") { |yes| options[:yjit] = yes }
  parser.on("--json FILE", "write the results there, too") { |file| options[:json] = file }
end.parse!

abort "benchmark/workers needs Ractors (Ruby 4.0 or newer)" unless Ratomic::RACTORS
RubyVM::YJIT.enable if options[:yjit] && defined?(RubyVM::YJIT.enable)

bench = WorkersBench::Bench.new(options[:rounds])
puts bench.machine
sections = { "references" => WorkersBench::References, "dispatching" => WorkersBench::Dispatching,
             "documents" => WorkersBench::Documents, "owned" => WorkersBench::Owned,
             "items" => WorkersBench::Items, "streams" => WorkersBench::Streams,
             "long_stream" => WorkersBench::LongStream, "grid" => WorkersBench::Grid, "upkeep" => WorkersBench::Upkeep }
sections.each do |name, section|
  section.new(bench).run if options[:only].nil? || options[:only].include?(name)
end
puts bench.verdict
File.write(options[:json], JSON.pretty_generate(bench.to_h)) if options[:json]
exit(bench.missed.empty?)
