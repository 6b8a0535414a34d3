# frozen_string_literal: true

# What a loan costs: bin/exec benchmark/pool.rb [--rounds N] [--count N] [--yjit] [--json FILE]
# Pool against bare ports, LocalPool against a Thread::SizedQueue of objects. All in one process, in rounds of shuffled
# order; the medians are compared. Run it on a quiet machine, with Ruby 4.0 or newer.

require "ratomic"
require "etc"
require "json"
require "optparse"

options = { rounds: 9, count: 10_000, json: nil }
OptionParser.new do |parser|
  parser.on("--rounds N", Integer, "rounds, of which the median counts (9)") { |count| options[:rounds] = count }
  parser.on("--count N", Integer, "round trips in a round (10000)") { |count| options[:count] = count }
  parser.on("--yjit", "switch YJIT on") { RubyVM::YJIT.enable }
  parser.on("--json FILE", "write the results there, too") { |file| options[:json] = file }
end.parse!
abort "benchmark/pool.rb needs Ruby 4.0 or newer" unless Ratomic::RACTORS

OBJECTS = Ratomic::Pool.new(5, 5) { [] }
LOCALS = Ratomic::LocalPool.new(size: 5, factory: Ractor.shareable_proc { [] })

# One round trip each; run in any Ractor, they return microseconds a trip.
module Trips
  module_function

  def timed(count)
    start = Process.clock_gettime(Process::CLOCK_MONOTONIC)
    count.times { yield }
    (Process.clock_gettime(Process::CLOCK_MONOTONIC) - start) * 1e6 / count
  end

  # A message there and one back, and nothing else: what two Ractors that use ports cannot do without.
  def ping_pong(count)
    here = Ractor::Port.new
    other = Ractor.new(here) do |back|
      there = Ractor::Port.new
      back << there
      back << true while there.receive
    end
    there = here.receive
    timed(count) { (there << true) && here.receive }.tap { (there << nil) && other.join }
  ensure
    here.close
  end

  # The same with an Array that is moved there and back, as a Pool moves its objects.
  def moved_there_and_back(count)
    here = Ractor::Port.new
    other = Ractor.new(here) do |back|
      there = Ractor::Port.new
      back << there
      while (object = there.receive)
        back.send(object, move: true)
      end
    end
    there = here.receive
    object = []
    timed(count) { object = there.send(object, move: true) && here.receive }.tap { (there << nil) && other.join }
  ensure
    here.close
  end

  def with(count)
    timed(count) { OBJECTS.with { nil } }
  end

  def checkout_and_checkin(count)
    timed(count) { OBJECTS.checkin(OBJECTS.checkout) }
  end

  def local_with(count)
    timed(count) { LOCALS.with { nil } }
  end

  def sized_queue(count)
    queue = Thread::SizedQueue.new(5)
    5.times { queue << [] }
    timed(count) do
      object = queue.pop
      queue << object
    end
  end

  def in_ractor(trip, count)
    Ractor.new(trip, count) { |name, times| Trips.public_send(name, times) }.value
  end

  # Four Ractors share the five objects; microseconds that each of them waits for a trip.
  def crowd(count)
    Array.new(4) { Ractor.new(count / 4) { |times| Trips.with(times) } }.sum(&:value) / 4
  end
end

contestants = {
  "ping-pong, main and a Ractor" => ->(count) { Trips.ping_pong(count) },
  "ping-pong, two other Ractors" => ->(count) { Trips.in_ractor(:ping_pong, count) },
  "Array moved there and back, main" => ->(count) { Trips.moved_there_and_back(count) },
  "Pool#with, main" => ->(count) { Trips.with(count) },
  "Pool#with, another Ractor" => ->(count) { Trips.in_ractor(:with, count) },
  "Pool#with, four Ractors at once" => ->(count) { Trips.crowd(count) },
  "Pool#checkout and checkin, main" => ->(count) { Trips.checkout_and_checkin(count) },
  "LocalPool#with, main" => ->(count) { Trips.local_with(count) },
  "LocalPool#with, another Ractor" => ->(count) { Trips.in_ractor(:local_with, count) },
  "Thread::SizedQueue pop and push" => ->(count) { Trips.sized_queue(count) }
}

contestants.each_value { |trip| trip.call(options[:count] / 10) } # warm
times = Hash.new { |all, name| all[name] = [] }
options[:rounds].times do
  contestants.to_a.shuffle.each { |name, trip| (times[name] << trip.call(options[:count])) && GC.start }
end
medians = contestants.keys.to_h { |name| [name, times[name].sort[options[:rounds] / 2]] }
bare = medians.fetch("ping-pong, main and a Ractor")
ratio = medians.fetch("Pool#with, main") / bare

processor = File.foreach("/proc/cpuinfo").grep(/model name/).first.to_s.split(": ").last.to_s.strip if
  File.readable?("/proc/cpuinfo")
puts RUBY_DESCRIPTION
puts "ratomic #{Ratomic::VERSION}, #{Etc.nprocessors} processors (#{processor}), " \
     "#{Time.now.utc.strftime("%Y-%m-%d %H:%M UTC")}, medians of #{options[:rounds]} rounds", ""
line = "  %-34<name>s %8.2<time>f microseconds  %6.2<share>fx"
medians.each { |name, time| puts format(line, name: name, time: time, share: time / bare) }
puts "", "Pool#with, main / ping-pong, main and a Ractor: #{ratio.round(2)}, asked at most 2.5: " \
         "#{ratio <= 2.5 ? "yes" : "NO"}"
if options[:json]
  report = { ruby: RUBY_DESCRIPTION, processor: processor, date: Time.now.utc.to_s, processors: Etc.nprocessors,
             microseconds: medians, ratio: ratio }
  File.write(options[:json], JSON.pretty_generate(report))
end
exit(ratio <= 2.5)
