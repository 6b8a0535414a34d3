# frozen_string_literal: true

require "test_helper"

# Memory of shareable objects that nobody refers to any more. With a heap for each Ractor only a collection of the whole
# process gives it back, and the VM does not start one for long Strings.
class GlobalGCTest < Minitest::Test
  MEGABYTES = 800
  PROGRAM = <<~'RUBY'
    require "ratomic"
    pool = Ratomic::Workers::Pool.new(size: 2, min_batch: ARGV[1] == "pool" ? 0 : :auto)
    numbers = Array.new(100) { |number| number }.freeze
    make = Module.new { def self.call(number) = "x" * 20_000 + number.to_s }
    size = Module.new { def self.call(text) = text.size }
    works = {
      "results" => -> { pool.dispatch_async(numbers, make).value(timeout: 60) },
      "items" => -> { pool.dispatch_async(numbers.map { |number| make.call(number).freeze }, size).value(timeout: 60) },
      "caller" => -> { numbers.each_slice(2) { |two| pool.dispatch_async(two.freeze, make).value(timeout: 60) } }
    }
    resident = -> { File.read("/proc/self/status")[/VmRSS:\s+(\d+)/, 1].to_i / 1024 }
    work = works.fetch(ARGV[0])
    20.times { work.call }
    before = resident.call
    (Integer(ARGV[2]) / 2).times { work.call }
    puts resident.call - before
  RUBY

  def test_memory_of_dropped_results
    assert_memory_is_given_back("results", "pool")
  end

  def test_memory_of_dropped_items
    assert_memory_is_given_back("items", "pool")
  end

  def test_memory_of_dropped_results_of_the_caller
    assert_memory_is_given_back("caller", "auto")
  end

  # In the Ractor that makes objects shareable: each has a collector of its own.
  def test_no_collection_where_the_program_has_disabled_it
    skip "no collection is asked for here" unless Ratomic::HEAP_PER_RACTOR
    assert_equal "0\n", ruby!(<<~'RUBY')
      require "ratomic"
      GC.start
      GC.disable
      before = GC.count
      map = Ratomic::Map.new
      4_000.times { |number| map[0] = ("x" * 20_000 + number.to_s).freeze }
      puts GC.count - before
    RUBY
  end

  private

  def assert_memory_is_given_back(what, how)
    skip "needs /proc" unless File.exist?("/proc/self/status")
    grown = Integer(ruby!(PROGRAM, what, how, MEGABYTES.to_s, seconds: 120))
    assert_operator grown, :<, MEGABYTES / 2
  end
end
