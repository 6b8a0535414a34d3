# frozen_string_literal: true

# A change stream of PostgreSQL (examples/cdc, protocol version 2 with streaming) decoded and counted by one thread, and
# by as many as there are processors through Ratomic::Workers:
# bin/exec benchmark/cdc.rb [--rounds N] [--megabytes N] [--capture FILE] [--workers N] [--no-yjit] [--json FILE]
#
# Each side runs in a process of its own, so that its memory is its own, too; in turn, in rounds of shuffled order, and
# medians of the rounds are compared. Beside them two forked processes that decode half of the rows each and return
# nothing, against one that decodes all: the most that this machine can give. Without a capture (a file that
# pg_recvlogical wrote) a stream is made from a seed. Run it on a quiet machine: a round takes about 15 seconds.

require "ratomic"
require "optparse"
require "json"
require "tempfile"
require_relative "workers/bench"
require_relative "cdc/capture"
require_relative "cdc/sides"

options = { rounds: 5, megabytes: 100, capture: nil, workers: nil, json: nil, yjit: true }
OptionParser.new do |parser|
  parser.on("--rounds N", Integer, "rounds, of which the median counts (5)") { |count| options[:rounds] = count }
  parser.on("--megabytes N", Integer, "of the stream (100)") { |count| options[:megabytes] = count }
  parser.on("--capture FILE", "a stream that pg_recvlogical wrote") { |file| options[:capture] = file }
  parser.on("--workers N", Integer, "beside the thread that reads (one less than processors)") do |count|
    options[:workers] = count
  end
  parser.on("--[no-]yjit", "switch YJIT on (yes)") { |yes| options[:yjit] = yes }
  parser.on("--json FILE", "write the results there, too") { |file| options[:json] = file }
end.parse!

abort "--megabytes: 10 at least, as a transaction has six" if options[:megabytes] < 10
abort "benchmark/cdc needs Ractors (Ruby 4.0 or newer)" unless Ratomic::RACTORS
RubyVM::YJIT.enable if options[:yjit] && defined?(RubyVM::YJIT.enable)

bench = WorkersBench::Bench.new(options[:rounds])
puts bench.machine
Tempfile.create("ratomic-cdc-") do |file|
  capture = options[:capture] || CdcBench::Capture.write(file.path, options[:megabytes] * 1_000_000)
  CdcBench::Sides.new(bench, capture, options).run
end
puts bench.verdict
File.write(options[:json], JSON.pretty_generate(bench.to_h)) if options[:json]
exit(bench.missed.empty?)
