# frozen_string_literal: true

require "test_helper"
require "delegate"
require "support/interruption"
require "support/learnt_costs"
require "support/worker_callables"

class StreamTest < Minitest::Test
  include WorkerCallables
  include LearntCosts
  include Interruption

  # Notes down what runs at a time and in which order, by key.
  class Journal
    attr_reader :log, :running

    def initialize
      @log = Ratomic::Map.new
      @running = Ratomic::Map.new
      @overlaps = Ratomic::Counter.new
      Ractor.make_shareable(self)
    end

    def overlaps
      @overlaps.value
    end

    def call((key, number))
      @overlaps.increment if @running.increment(key) > 1
      @log.append(key, number)
      @running.decrement(key)
      [key, number]
    end
  end

  # Changes its item.
  module Lengthen
    def self.call(item)
      item << 1
    end
  end

  # Returns what it was made with.
  class Give
    def initialize(result)
      @result = result
      freeze
    end

    def call(_item)
      @result
    end
  end

  def setup
    @pool = Ratomic::Workers::Pool.new(size: 2)
  end

  def teardown
    @pool.kill
  end

  def test_a_stream_that_is_interrupted_anywhere_leaves_no_thread
    pool = Ratomic::Workers::Pool.new(size: 2, backend: :thread, name: "left")
    %i[raise kill].each do |way|
      interrupt_everywhere(way, -> { pool.stream([1], Double, max_in_flight: 1, min_batch: 0).first }) do |point|
        eventually(STATE_TIMEOUT_S, "the end of all threads (#{point})") do
          Thread.list.none? { |thread| thread.name == "ratomic-left-stream" }
        end
      end
    end
  ensure
    pool.kill
  end

  def test_a_stream_of_nothing_counts_no_dispatch_and_announces_none
    @pool.subscribe(events = Ratomic::Queue.new(100))
    3.times { assert_empty @pool.stream([], Double).to_a }
    assert_equal [0, 0], @pool.stats[:dispatches].values_at(:made, :completed)
    assert within(5) { @pool.shutdown }
    assert_empty events.pop_many(100, timeout: 0).to_a.map(&:name) & %i[dispatched completed]
  end

  def test_a_stream_can_be_ended_while_its_callable_is_asked_whether_it_can_be_called
    asked, answer = Array.new(2) { Thread::Queue.new }
    callable = Object.new
    callable.define_singleton_method(:respond_to?) { |*| asked.push(true) && answer.pop }
    pool = Ratomic::Workers::Pool.new(size: 1, backend: :thread)
    reader = Thread.new { pool.stream([1], callable).to_a }
    within(5) { asked.pop }
    assert within(5) { reader.kill.join }
  ensure
    answer.close
    pool.kill
  end

  def test_in_a_signal_handler_the_error_says_what_to_do
    ended = ruby!(<<~RUBY)
      require "ratomic"
      module Same; def self.call(item) = item; end
      pool = Ratomic::Workers::Pool.new(size: 1)
      told = Thread::Queue.new
      trap(:USR1) do
        pool.stream([1, 2], Same).to_a
      rescue Ratomic::Error => e
        told << [e.class, e.message].join(": ")
        Thread.new { told << pool.stream([1, 2], Same).to_a }
      end
      Process.kill(:USR1, Process.pid)
      puts told.pop, told.pop.inspect
    RUBY
    assert_match(/\ARatomic::TrapError: .*Thread.new.*\n\[1, 2\]\n\z/, ended)
  end

  # A copy of such a key would be another key.
  def test_items_of_one_key_run_in_order_also_when_it_is_compared_by_identity
    keys = Array.new(2) { Object.new }
    log = Ratomic::Map.new
    seen = Class.new do
      def initialize(log) = (@log = log) && freeze

      def call(item)
        sleep(0.001) if item < 20
        @log.append(item.odd?, item)
      end
    end.new(log)
    pool = Ratomic::Workers::Pool.new(size: 2, min_batch: 0)
    pool.stream(0...100, seen, key: ->(item) { keys[item % 2] }).to_a
    assert_equal [(0...100).select(&:even?), (0...100).select(&:odd?)], [log[false], log[true]]
  ensure
    pool&.kill
  end

  def test_results_come_in_order_by_default
    assert_equal (0...5000).map { |i| i * 2 }, within(20) { @pool.stream(0...5000, Double).to_a }
  end

  def test_with_ordered_false_all_results_come
    results = within(20) { @pool.stream(0...5000, Double, ordered: false).to_a }
    assert_equal (0...5000).map { |i| i * 2 }, results.sort
  end

  def test_an_endless_source_is_read_no_further_than_the_window
    read = 0
    source = Enumerator.new { |yielder| loop { yielder << (read += 1) } }
    first = within(10) { @pool.stream(source, Double, max_in_flight: 50).lazy.select { |n| (n % 4).zero? }.first(10) }
    assert_equal (1..10).map { |n| n * 4 }, first
    assert_operator read, :<=, 20 + 50 + 1
  end

  def test_the_number_of_items_read_and_not_yielded_is_always_bounded
    read = Ratomic::Counter.new
    source = Enumerator.new { |yielder| 300.times { |n| yielder << n.tap { read.increment } } }
    yielded = ahead = 0
    within(20) do
      @pool.stream(source, Double, max_in_flight: 10).each do |_|
        yielded += 1
        eventually { read.value >= yielded + 7 } if yielded == 100 # it is let in by quarters of the window
        ahead = [ahead, read.value - yielded].max
      end
    end
    assert_operator ahead, :<=, 11
  end

  # The window of the longest Strings is that of two workers: 128 of 20 kB are far more than 600 kB.
  def test_without_a_given_window_fewer_long_strings_are_read_ahead
    { "x" * 20_000 => 128, "x" * 2000 => 300, "x" => 1000 }.each do |text, window|
      read = Ratomic::Counter.new
      source = Enumerator.new { |yielder| 1500.times { yielder << text.tap { read.increment } } }
      yielded = ahead = 0
      within(30) do
        @pool.stream(source, Double, min_batch: 0).each do |_|
          yielded += 1
          eventually { read.value >= window } if yielded == 1
          ahead = [ahead, read.value - yielded].max
        end
      end
      assert_includes (window - 1)..(window + 1), ahead
    end
  end

  # Each is gone before the next one comes.
  def test_moved_strings_are_not_measured_after_the_move
    results = []
    source = Enumerator.new do |yielder|
      40.times do |number|
        yielder << "text #{number}"
        eventually { results.size > number }
      end
    end
    within(30) { @pool.stream(source, Double, move: true).each { |result| results << result } }
    assert_equal (0...40).map { |number| "text #{number}" * 2 }, results
  end

  def test_a_slow_source_does_not_hold_results_back
    source = Thread::Queue.new
    results = Thread::Queue.new
    consumer = Thread.new do
      @pool.stream(Enumerator.new do |y|
                     while (item = source.pop) do y << item end
                   end, Double).each { |r| results << r }
    end
    3.times do |n|
      source << (n + 1)
      assert_equal (n + 1) * 2, within(5) { results.pop }
    end
    source << nil
    within(5) { consumer.join }
  end

  def test_results_and_keys_may_be_nil_or_false
    nothing = Class.new { def call(item) = item.even? ? nil : false }.new.freeze
    expected = (0...100).map { |n| nothing.call(n) }
    assert_equal expected, within(10) { @pool.stream(0...100, nothing).to_a }
    assert_equal expected, within(10) { @pool.stream(0...100, nothing, key: ->(n) { nothing.call(n) }).to_a }
    assert_equal 100, within(10) { @pool.stream(0...100, nothing, ordered: false).count }
  end

  def test_changing_a_key_object_later_does_not_matter
    buffer = []
    keys = ->(number) { buffer.replace([number % 3]) }
    assert_equal (0...100).map { |n| n * 2 }, within(10) { @pool.stream(0...100, Double, key: keys).to_a }
    items = Array.new(50) { |n| [[n % 3], n] }
    moved = within(10) { @pool.stream(items, Lengthen, key: :first.to_proc, move: true).to_a }
    assert_equal Array.new(50) { |n| [[n % 3], n, 1] }, moved
  end

  def test_a_failure_that_an_item_returns_keeps_its_index
    returned = Ratomic::Workers::Failure.new(700, "KeyError", "of another dispatch")
    giver = Give.new(returned)
    assert_equal [700, 700], within(10) { @pool.stream([1, 2], giver).map(&:index) }
  end

  def test_items_of_one_key_run_in_order_one_after_another
    journal = Journal.new
    items = (0...3000).map { |n| [n % 7, n] }
    results = within(30) { @pool.stream(items, journal, key: :first.to_proc, max_in_flight: 500).to_a }
    assert_equal items, results
    assert_equal 0, journal.overlaps
    7.times { |key| assert_equal (0...3000).select { |n| n % 7 == key }, journal.log[key] }
  end

  def test_different_keys_run_in_parallel
    together = Class.new do
      def initialize(here) = (@here = here) && freeze

      # Both must be in here at a time for either to go on.
      def call(_item)
        @here.increment
        deadline = Process.clock_gettime(Process::CLOCK_MONOTONIC) + 5
        Thread.pass until @here.value >= 2 || Process.clock_gettime(Process::CLOCK_MONOTONIC) > deadline
        @here.value >= 2
      end
    end.new(Ratomic::Counter.new)
    assert_equal [true, true], within(15) { @pool.stream(%w[a b], together, key: :itself.to_proc).to_a }
  end

  def test_failures_have_the_index_of_their_item_in_the_stream
    results = within(10) { @pool.stream([*0...100, :raise_error, :end_thread, *102...200], Misbehave).to_a }
    assert_equal 200, results.size
    assert_equal [100, 101], results.grep(Ratomic::Workers::Failure).map(&:index)
    assert_equal %w[KeyError ThreadError], results[100..101].map(&:exception_class)
  end

  def test_an_error_of_the_source_is_raised_after_the_results
    source = Enumerator.new do |yielder|
      yielder << 1 << 2
      raise IOError, "the source broke"
    end
    seen = []
    error = assert_raises(IOError) { within(10) { @pool.stream(source, Double).each { |result| seen << result } } }
    assert_equal "the source broke", error.message
    assert_equal [2, 4], seen
  end

  def test_whatever_ends_the_source_or_its_thread_ends_the_stream
    ends = { NotImplementedError => -> { raise NotImplementedError }, SystemExit => -> { exit },
             SystemStackError => -> { WorkerCallables::Misbehave.call(:overflow_stack) },
             ThreadError => -> { Thread.exit } }
    ends.each do |kind, leave|
      broken = Class.new { define_method(:each) { |&block| [block.call(1), leave.call] } }.new
      seen = []
      assert_raises(kind) { within(10) { @pool.stream(broken, Double).each { |result| seen << result } } }
      assert_equal [2], seen
      assert_raises(kind) { within(10) { @pool.stream([1], Double, key: ->(_) { leave.call }).to_a } }
    end
  end

  def test_a_pool_that_was_shut_down_ends_the_stream
    endless = @pool.stream(1.step, Double)
    assert_raises(Ratomic::Workers::ShutdownError) do
      within(10) { endless.each_with_index { |_, index| @pool.shutdown if index == 20 } }
    end
  end

  def test_leaving_the_block_early_leaves_nothing_behind
    @pool.dispatch_async([1], Double).wait(timeout: 5)
    until_workers_wait(@pool)
    assert_leaves_nothing do
      within(10) { @pool.stream(1.step, Double).each { |result| break if result > 100 } }
      assert_raises(RuntimeError) { within(10) { @pool.stream(1.step, Double).each { |_| raise "enough" } } }
      assert_equal [2, 4, 6], within(10) { @pool.stream(1.step, Double).first(3) }
    end
  end

  def test_a_stream_that_cannot_start_a_thread_leaves_none_behind
    out = ruby!(<<~RUBY)
      require "ratomic"
      module Work; def self.call(item) = item; end
      MADE = []
      Ratomic::Workers::NestedDispatch.singleton_class.prepend(Module.new do
        def thread(*) = MADE.size == 2 ? raise(ThreadError, "no more") : super.tap { |thread| MADE << thread }
      end)
      begin
        Ratomic::Workers.stream(1.step, Work).first
      rescue ThreadError => e
        puts e.message, MADE.count(&:alive?)
      end
    RUBY
    assert_equal "no more\n0\n", out
  end

  # Yields numbers in four threads.
  class InThreads
    attr_reader :threads

    # @param last [Integer, nil] nil for no end
    def initialize(last = nil)
      @last = last
      @threads = []
    end

    def each(&block)
      @threads = Array.new(4) { |first| Thread.new { loop { break first.step(@last, 4, &block) } } }
      @threads.each(&:join)
    end
  end

  # In a window of one each item costs some switches of threads, and a busy machine may make each of them long.
  def test_a_source_may_yield_in_several_threads_at_once
    [[50, { max_in_flight: 1 }], [200, { max_in_flight: 20, key: ->(number) { number % 5 } }],
     [200, {}]].each do |count, given|
      [0, :auto].each do |min_batch|
        results = within(30) { @pool.stream(InThreads.new(count - 1), Double, min_batch: min_batch, **given).to_a }
        assert_equal (0...count).map { |number| number * 2 }, results.sort
      end
    end
  end

  def test_threads_of_a_source_do_not_wait_for_a_stream_that_was_left
    source = InThreads.new
    within(30) { @pool.stream(source, Double, max_in_flight: 20).first(30) }
    assert_equal(4, source.threads.count { |thread| thread.join(10) })
  end

  def test_in_a_forked_child_a_stream_does_not_go_on
    skip_without_fork
    skip_on_development_ruby("a forked child that collects can crash")
    result = ruby(<<~RUBY)
      require "ratomic"
      module Same; def self.call(item) = item; end
      $stdout.sync = true
      [{}, { key: :itself.to_proc }, { max_in_flight: 20 }, { results: :owned }].each do |given|
        child = nil
        begin
          Ratomic::Workers.stream(0...3000, Same, **given).each_with_index do |_, index|
            child = fork if index == 10
          end
          puts "all" if child
          Process.wait(child)
          warn $? unless $?.success?
        rescue Ratomic::Workers::ShutdownError => e
          puts child ? "parent" : e.message
          exit!(0)
        end
      end
    RUBY
    forked = Ratomic::Workers.const_get(:PoolFailures)::FORKED.message
    told = assert_success(result).out.lines(chomp: true).tally
    assert_equal({ "all" => 4, forked => 4 }, told, result.err) # a child that died tells there of what
  end

  def test_the_enumerator_can_be_read_by_next
    stream = @pool.stream(1..3, Double).each
    within(10) do
      assert_equal [2, 4, 6], Array.new(3) { stream.next }
      assert_raises(StopIteration) { stream.next }
    end
  end

  def test_an_empty_source_is_done_at_once
    assert_equal [], within(5) { @pool.stream([], Double).to_a }
  end

  def test_wrong_arguments_are_refused
    [0, nil, :all].each { |number| assert_raises(ArgumentError) { @pool.stream([1], Double, max_in_flight: number) } }
    assert_raises(TypeError) { @pool.stream(1, Double) }
    assert_raises(TypeError) { @pool.stream([1], Double, key: 3) }
    ["text", BasicObject.new].each do |callable|
      assert_raises(Ratomic::Workers::CallableError) { @pool.stream([1], callable).to_a }
    end
  end

  # A pool that notes which threads dispatch to it.
  class Observed < SimpleDelegator
    def threads
      @threads ||= Thread::Queue.new
    end

    def dispatch_async(items, *)
      threads << Thread.current unless items.empty?
      super
    end
  end

  # Yields numbers until the thread that reads them has dispatched, and some more.
  def numbers_until_its_reader_dispatches(pool)
    Enumerator.new do |source|
      number = left = 0
      until left > 3000
        source << (number += 1)
        left += 1 if left.positive? || (pool.threads.size.positive? && pool.threads.pop == Thread.current)
      end
    end
  end

  def observed_stream(pool, source, **given)
    stream = { max_in_flight: :auto, key: nil, ordered: true }.merge(given.slice(:max_in_flight, :key, :ordered))
    options = Ratomic::Workers::Options.new({ sequential: true }.merge(given.except(*stream.keys)))
    Ratomic::Workers::Stream.new(pool, source, Double, **stream, options: options)
  end

  def test_the_reader_of_a_quick_source_dispatches_itself
    [{}, { key: ->(number) { number % 700 } }, { ordered: false }, { max_in_flight: 4000 }].each do |given|
      source = numbers_until_its_reader_dispatches(pool = Observed.new(@pool))
      results = within(60) { observed_stream(pool, source, min_batch: 0, **given).to_a }
      assert_equal (1..results.size).map { |number| number * 2 }, given.key?(:ordered) ? results.sort : results
    end
  end

  def test_a_quick_stream_that_is_left_in_the_middle_leaves_nothing_behind
    @pool.dispatch_async([1], Double).wait(timeout: 5)
    until_workers_wait(@pool)
    assert_leaves_nothing do
      pool = Observed.new(@pool)
      reader = nil
      source = Enumerator.new { |yielder| (reader = Thread.current) && 1.step { |number| yielder << number } }
      within(60) do
        observed_stream(pool, source, min_batch: 0).each { break if !pool.threads.empty? && pool.threads.pop == reader }
      end
    end
  end

  # Which thread it is run by.
  module Whose
    def self.call(_item)
      Thread.current.object_id
    end
  end

  # Yields the items, while the pool believes again and again that each costs so many nanoseconds.
  def believing(nanoseconds, items)
    Enumerator.new do |source|
      items.each_slice(20) do |slice|
        pretend(Whose, nanoseconds)
        slice.each { |item| source << item }
      end
    end
  end

  def test_a_window_of_little_work_is_run_by_the_thread_that_reads_the_stream
    @pool.dispatch_async([1], Whose, min_batch: 0).value
    mine = @pool.stream(believing(1000, 0...400), Whose, max_in_flight: 20).count(Thread.current.object_id)
    assert_operator mine, :>, 0
    assert_equal 400, @pool.stream(believing(1000, 0...400), Whose, max_in_flight: 20, key: :even?.to_proc).count
  end

  def test_a_window_of_much_work_is_run_by_workers_and_so_is_any_with_min_batch_zero
    @pool.dispatch_async([1], Whose, min_batch: 0).value
    me = Thread.current.object_id
    refute_includes @pool.stream(believing(1_000_000, 0...100), Whose, max_in_flight: 20).to_a, me
    refute_includes @pool.stream(believing(1000, 0...400), Whose, max_in_flight: 20, min_batch: 0).to_a, me
  end

  def test_a_block_or_no_callable_is_refused_with_the_way_to_write_it
    [[[1], Double], [[1]]].each do |arguments|
      error = assert_raises(ArgumentError) { Ratomic::Workers.stream(*arguments) { |result| result } }
      assert_match(/stream\(source, callable\)\.each/, error.message)
    end
    assert_match(/takes a callable/, assert_raises(ArgumentError) { Ratomic::Workers.stream([1]) }.message)
  end

  def test_inspect_shows_none_of_the_items
    assert_equal "#<Ratomic::Workers::Stream of Array through WorkerCallables::Double>",
                 Ratomic::Workers.stream(["secret"], Double).inspect
  end

  def test_a_symbol_as_key_is_refused_with_what_to_pass
    error = assert_raises(TypeError) { Ratomic::Workers.stream([1], Double, key: :id) }
    assert_match(/Symbol has none; pass ->\(item\) .* or :id\.to_proc/, error.message)
  end
end
