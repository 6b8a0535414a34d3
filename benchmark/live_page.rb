# frozen_string_literal: true

# What the live page costs a busy pool: bin/exec benchmark/live_page.rb [--rounds N]
#
# First the processor time of one answer and of one sample of the history, as a share of the time between two: that is
# what a viewer costs. Then the throughput of a pool beside a thread that asks twenty times as often as the page does,
# and beside one that only sleeps as often (what any server has), in shuffled rounds: a twentieth of the difference is
# what one viewer costs. A second sleeper shows how far two equal things differ on this machine.

require "ratomic/workers/web"
require "optparse"
require_relative "workers/bench"

rounds = 32
OptionParser.new { |parser| parser.on("--rounds N", Integer) { |count| rounds = count } }.parse!
RubyVM::YJIT.enable if defined?(RubyVM::YJIT.enable)

# Computes for some microseconds.
module Compute
  def self.call(number)
    sum = 0
    200.times { |i| sum += i * number }
    sum
  end
end

PAGE = { "REQUEST_METHOD" => "GET", "PATH_INFO" => "/live", "SCRIPT_NAME" => "" }.freeze
INTERVAL_S = 2.0 # between two requests of a page
FASTER = 20
SECONDS = 0.3

web = Ratomic::Workers::Web.new
pool = Ratomic::Workers::Pool.new(name: "busy", min_batch: 0)
items = Array.new(64) { |i| i }.freeze
history = Ratomic::Workers::History.current
history.stop
310.times { history.sample } # all that it keeps
history.define_singleton_method(:look) { self }

# Dispatches in a second of processor time, which what else runs on the machine spoils less than the time.
work = lambda do |seconds|
  limit = WorkersBench.now + seconds
  before = Process.clock_gettime(Process::CLOCK_PROCESS_CPUTIME_ID)
  count = 0
  while WorkersBench.now < limit
    pool.dispatch_async(items, Compute).value
    count += 1
  end
  count / (Process.clock_gettime(Process::CLOCK_PROCESS_CPUTIME_ID) - before)
end
work.call(1)

spent = lambda do |times, &block|
  before = Process.clock_gettime(Process::CLOCK_THREAD_CPUTIME_ID)
  times.times(&block)
  (Process.clock_gettime(Process::CLOCK_THREAD_CPUTIME_ID) - before) / times
end
spent.call(50) { web.call(PAGE) }
page = spent.call(200) { web.call(PAGE) }
sample = spent.call(200) { history.sample }
puts "#{RUBY_DESCRIPTION}, #{Etc.nprocessors} processors"
puts "one answer #{(page * 1000).round(2)} ms (#{web.call(PAGE)[2][0].bytesize} bytes), one sample " \
     "#{(sample * 1000).round(3)} ms: #{((page + sample) / INTERVAL_S * 100).round(3)} % of one processor with a viewer"

orders = Thread::Queue.new
Thread.new do
  while (way = orders.pop)
    (SECONDS * FASTER / INTERVAL_S).to_i.times do
      web.call(PAGE) if way == :viewers
      sleep(INTERVAL_S / FASTER)
    end
  end
end
ways = { sleeper: [], "another sleeper": [], viewers: [] }
rounds.times do
  ways.keys.shuffle.each do |way|
    orders << way
    ways[way] << work.call(SECONDS)
    sleep(0.01) until orders.num_waiting == 1
  end
end
puts "dispatches of #{items.size} items in a second of processor time, medians of #{rounds} pairs with the sleeper:"
ways.each do |way, rates|
  ratio = WorkersBench.median(rates.zip(ways[:sleeper]).map { |rate, base| rate / base })
  puts "#{way} #{WorkersBench.median(rates).round}, ratio #{ratio.round(3)}" \
       "#{", #{((1 - ratio) * 100 / FASTER).round(2)} % for one viewer" if way == :viewers}"
end
pool.kill
