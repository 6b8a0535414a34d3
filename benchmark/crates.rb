# frozen_string_literal: true

# The core's Table and Queue against the crates that are known for theirs: bin/exec benchmark/crates.rb [--rounds N]
# [--seconds N]. It runs `cargo bench -p ratomic-core` and prints throughput ratios; `rake benchmark:crates` writes them
# to benchmark/results/crates.txt. A round runs all contestants one after another, and a ratio is the median of the
# rounds' ratios. Run it on a quiet machine.

require "optparse"
require_relative "crates/yardsticks"
require_relative "crates/machine"

options = { rounds: 5, seconds: 2.0 }
OptionParser.new do |parser|
  parser.on("--rounds N", Integer, "rounds, of which the median counts (5)") { |count| options[:rounds] = count }
  parser.on("--seconds N", Float, "how long a contestant is measured (2)") { |time| options[:seconds] = time }
end.parse!

yardsticks = Crates::Yardsticks.new(File.expand_path("..", __dir__), options[:seconds])
yardsticks.build
machine = Crates::Machine.new
rounds = Array.new(options[:rounds]) { yardsticks.run }

puts machine.description
puts "#{yardsticks.versions.join(", ")}; throughput of ours over theirs, rounds: #{rounds.size}"
puts machine.other_work
puts
Crates::COMPARISONS.each { |ours, theirs| puts Crates.table(ours, theirs, rounds), "" }
