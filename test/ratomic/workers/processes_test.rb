# frozen_string_literal: true

require "test_helper"
require "support/process_ledger"
require "support/worker_callables"
require "support/worker_pools"

# What only worker processes have: they die, are killed, and are left by their parents.
class WorkerProcessesTest < Minitest::Test
  include WorkerPools
  include WorkerCallables

  # Does what the item says.
  module Obey
    def self.call(item)
      case item
      when :kill then Process.kill(:KILL, Process.pid) && sleep
      when :segv then Process.kill(:SEGV, Process.pid) && sleep
      when :leave then exit!(7)
      when :pid then Process.pid
      else item
      end
    end
  end

  def setup
    skip_without_fork
    super
  end

  def teardown
    super if @pools
  end

  def test_a_block_may_use_what_ractors_forbid
    seen = [3]
    assert_equal([4, 5], within(30) { processes.dispatch_async([1, 2]) { |item| item + seen[0] }.value(timeout: 25) })
  end

  def processes(**options)
    new_pool(backend: :process, **options)
  end

  def value_of(items, callable, pool: processes, **options)
    within(30) { pool.dispatch_async(items, callable, **options).value(timeout: 25) }
  end

  def test_a_process_that_dies_fails_only_its_item_and_the_failure_says_how
    results = value_of([1, :kill, 3, :leave, 5, 6], Obey)
    assert_equal [1, 3, 5, 6], results.values_at(0, 2, 4, 5)
    assert_equal ["Ratomic::Workers::WorkerDiedError"] * 2, results.values_at(1, 3).map(&:exception_class)
    assert_equal ["the worker process was killed by SIGKILL while it ran the item",
                  "the worker process ended with status 7 while it ran the item"],
                 results.values_at(1, 3).map(&:message)
    assert_raises(Ratomic::Workers::ItemError) { within(10) { @pools[0].dispatch_async([:kill], Obey).value! } }
    assert_equal 3, @pools[0].stats[:workers][:respawns]
  end

  def test_many_processes_that_die_in_a_row_are_replaced
    results = value_of([:kill] * 30 + [1], Obey)
    assert_equal [30, 1], [results.grep(Ratomic::Workers::Failure).size, results.last]
  end

  def test_a_killed_item_is_run_again_with_retries
    ProcessLedger.within do |ledger|
      once = ->(item) { item == 2 && ledger.note(:n) == 1 ? Process.kill(:KILL, Process.pid) && sleep : item }
      assert_equal [1, 2, 3], value_of([1, 2, 3], once, retries: 1)
      assert_equal 2, ledger.count(:n)
    end
  end

  def test_what_was_done_before_the_death_of_a_process_is_not_done_again
    ProcessLedger.within do |ledger|
      noting = ->(item) { ledger.note(item) && item == 30 ? Process.kill(:KILL, Process.pid) && sleep : item }
      results = value_of((0...40).to_a, noting, sequential: true)
      assert_equal (0...40).to_a - [30], results - [results[30]]
      assert_equal (0...40).map(&:to_s), ledger.words
    end
  end

  # As in a native call that never returns, no thread of the process runs, whoever wakes or interrupts it.
  def test_an_item_whose_process_is_stopped_is_ended_by_its_time_limit
    stops = ->(item) { item.is_a?(Integer) ? item : Process.kill(:STOP, Process.pid) && sleep }
    results = value_of([1, :endless, 3], stops, item_timeout: ITEM_TIMEOUT_S)
    assert_equal [1, 3], results.values_at(0, 2)
    assert_equal "Ratomic::Workers::ItemTimeoutError", results[1].exception_class
    assert_equal [5], within(10) { @pools[0].map([5], Obey) }
  end

  def test_processes_that_are_killed_while_they_are_idle_are_replaced
    pool = processes
    20.times do |round|
      pids = within(10) { pool.map([:pid] * 8, Obey) }.uniq
      pids.each { |pid| Process.kill(:KILL, pid) }
      assert_equal [round] * 4, within(10) { pool.map([round] * 4, Obey) }
    end
  end

  def test_a_pool_leaves_nothing_behind
    before = children
    assert_leaves_nothing do
      pool = Ratomic::Workers::Pool.new(size: 3, backend: :process, min_batch: 0).start
      pids = value_of([:pid] * 30 + [:kill], Obey, pool: pool).grep(Integer).uniq
      assert pool.shutdown(timeout: 10)
      assert_gone(pids)
      pool = Ratomic::Workers::Pool.new(size: 2, backend: :process, min_batch: 0)
      future = pool.dispatch_async([30, 30], Sleep)
      eventually { pool.stats[:workers][:busy] == 2 }
      pool.kill
      assert_equal ["Ratomic::Workers::ShutdownError"] * 2, within(5) { future.value }.map(&:exception_class)
    end
    eventually { (children - before).empty? }
  end

  # As where two threads start it at a time.
  def test_a_process_forked_again_for_a_worker_replaces_the_first
    pool = Ratomic::Workers::Pool.new(size: 1, backend: :process)
    first, second = Array.new(2) { process_of_worker(pool.instance_variable_get(:@settings)) }
    eventually(10) { !first.alive? }
    assert_predicate second, :alive?
    pool.start # forks once more
    eventually(10) { !second.alive? }
    assert pool.shutdown(timeout: 10)
  ensure
    pool&.kill
  end

  def test_owned_results_are_not_frozen
    results = within(10) { processes.dispatch_async([1, 2], ->(n) { [+"a", { n => +"b" }] }, results: :owned).value }
    assert_equal [["a", { 1 => "b" }], ["a", { 2 => "b" }]], results
    refute [results, results[0], results[0][0], results[0][1][1]].any?(&:frozen?)
  end

  def test_an_object_that_cannot_be_sent_is_a_failure_with_its_path
    pool = processes
    result = value_of([1], ->(_) { { a: [1, Class.new.new] } }, pool: pool)[0]
    assert_equal "Ratomic::ShareableError", result.exception_class
    assert_match(/result \(Hash\) cannot cross from a worker process \(Marshal\): \[:a\]\[1\]/, result.message)
    counter = Ratomic::Counter.new
    results = value_of([1, { at: [counter] }.freeze, 3], Obey, pool: pool)
    assert_equal [1, 3], results.values_at(0, 2)
    assert_match(/item \(Hash\) cannot cross to a worker process .*\[:at\]\[0\] \(an instance of Ratomic::Counter\)/,
                 results[1].message)
    failure = within(10) { pool.dispatch_async([1], Obey, context: { map: Ratomic::Map.new }.freeze).value }[0]
    assert_match(/context: cannot cross .*\[:map\]/, failure.message)
    assert_equal [4], within(10) { pool.map([4], Obey) }
  end

  # The String says so of itself: no test has room for 4 GB.
  def test_a_result_that_is_too_long_is_a_failure
    long = lambda do |text|
      text = +text
      def text.bytesize = 1 << 32
      text
    end
    results = value_of(%w[a b], long, pool: processes)
    assert_equal [[0, "Ratomic::ShareableError"], [1, "Ratomic::ShareableError"]],
                 results.map { |failure| [failure.index, failure.exception_class] }
    assert_match(/4294967296 bytes are too many for a worker process/, results[0].message)
  end

  # With less than 4 GB, for which no test has room.
  def test_items_that_are_too_long_only_together_are_sent_one_by_one
    out = ruby!(<<~RUBY)
      #{START}
      Ratomic::Workers::Processes::Wire.send(:remove_const, :MAX_FRAME_BYTES)
      Ratomic::Workers::Processes::Wire.const_set(:MAX_FRAME_BYTES, 100_000)
      Text = Struct.new(:text) # no plain data
      ITEMS = [60_000, 70_000, 120_000, 80_000].map { |size| Ractor.make_shareable(Text.new("x" * size)) }
      SIZE = ->(item) { item.text.size }
      # Takes runs.
      module SizeMany
        def self.call(item) = SIZE.call(item)
        def self.call_many(items) = items.map(&SIZE)
      end
      [SIZE, SizeMany].each do |callable|
        [{}, { item_timeout: 10 }, { context: ITEMS[2] }].each do |options|
          values = POOL.dispatch_async(ITEMS, callable, sequential: true, **options).value(timeout: 20)
          puts values.map { |value| Integer === value ? value : [value.index, value.exception_class] }.join(" ")
        end
      end
    RUBY
    alone = "60000 70000 2 Ratomic::ShareableError 80000\n"
    none = "#{(0..3).map { |index| "#{index} Ratomic::ShareableError" }.join(" ")}\n"
    assert_equal [alone, alone, none].join * 2, out
  end

  def test_large_items_and_results_are_sent
    text = "x" * 3_000_000
    results = value_of([text] * 4, ->(item) { [item, item.size] })
    assert_equal [[text, text.size]] * 4, results
    assert_equal [text] * 3, within(30) { @pools[0].map([text] * 3, ->(item) { item }) }
  end

  def test_text_of_every_encoding_arrives_as_it_was
    texts = ["\u00e4" * 200, "\u00e4" * 70_000, "\xff\xfe" * 200, ("\xff" * 300).b, ("\u00e4" * 200).encode("UTF-16LE"),
             ("a" * 300).force_encoding("US-ASCII"), "",
             "\u{1f600}".dup.tap { |text| text.instance_variable_set(:@a, 1) }]
    results = value_of(texts, ->(text) { text })
    assert_equal texts, results
    assert_equal texts.map(&:encoding), results.map(&:encoding)
    assert_equal 1, results.last.instance_variable_get(:@a)
    assert_equal texts, value_of(texts, Echo.new)
  end

  # Takes runs.
  class Echo
    def call(item)
      item
    end

    def call_many(items)
      items
    end
  end

  def test_a_process_is_replaced_after_its_number_of_items
    pool = processes(recycle_after: 5)
    pids = Array.new(30) { within(10) { pool.map([:pid], Obey) } }.flatten
    assert_operator pids.tally.values.max, :<=, 5
    assert_equal [0, 0], pool.stats[:workers].values_at(:respawns, :pauses)
  end

  def test_a_process_is_replaced_when_it_has_grown
    skip "needs /proc" unless Ratomic::Workers::Processes::Memory.own
    pool = processes(size: 1, recycle_after: { megabytes: 60 })
    kept = []
    grow = ->(megabytes) { kept << ("x" * (megabytes * 1_000_000)) && Process.pid }
    first = within(10) { pool.map([1], grow) }[0]
    assert_equal [first], within(10) { pool.map([90], grow) }
    eventually(10) { pool.map([1], grow)[0] != first }
  end

  def test_a_callable_made_after_the_fork_is_copied_or_processes_are_forked_again
    pool = processes(size: 1).start
    first = within(10) { pool.map([:pid], Obey) }[0]
    text = +"young"
    assert_equal [["young", first]], within(10) { pool.map([1], Struct.new(:text).then { Young.new(text) }) }
    io = File.open(__FILE__)
    line, second = within(10) { pool.map([1], ->(_) { [io.gets, Process.pid] }) }[0]
    assert_equal "# frozen_string_literal: true\n", line
    refute_equal first, second
    younger = self.class.const_set(:Younger, Module.new { def self.call(_) = :younger })
    assert_equal [:younger], within(10) { pool.map([1], younger) }
    assert_equal [:copied, :forked, []],
                 [pool.explain([1], Obey).to_h[:process][:way],
                  *pool.explain([1], proc {}).to_h[:process].values_at(:way, :own)]
    assert_match(/forked before its first dispatch is forked anew \(it cannot be copied: it \(an instance of Proc\)/,
                 pool.explain([1], ->(item) { item }).to_s)
    assert_match(/@calls \(Ratomic::Map\): each process has its own/, pool.explain([1], Tally.new).to_s)
  ensure
    io&.close
    self.class.send(:remove_const, :Younger) if younger
  end

  # Known by name.
  class Young
    def initialize(text)
      @text = text
    end

    def call(_item)
      [@text, Process.pid]
    end
  end

  def test_many_threads_may_dispatch_at_once
    pool = processes
    sums = within(60) do
      Array.new(8) { |n| Thread.new { Array.new(20) { |i| pool.map([n, i], Obey).sum }.sum } }.map(&:value)
    end
    assert_equal Array.new(8) { |n| (n * 20) + 190 }, sums
  end

  def test_a_dispatch_in_an_item_runs_in_its_process
    pool = processes
    within = ->(n) { pool.map([:pid] * n, Obey).uniq == [Process.pid] }
    assert_equal [true, true], within(20) { pool.map([2, 3], within) }
  end

  def test_another_ractor_may_dispatch_but_not_start_the_pool
    skip_without_ractors
    pool = processes
    refused = within(10) do
      in_ractor(pool) do |given|
        given.map([1], Obey)
      rescue NotImplementedError => e
        e.message
      end
    end
    assert_match(/main Ractor/, refused)
    pool.start
    assert_equal [1], within(10) { in_ractor(pool) { |given| given.map([1], Obey) } }
  end

  # --- parents

  START = <<~'RUBY'
    require "ratomic"
    PID = ->(_) { Process.pid }
    POOL = Ratomic::Workers::Pool.new(size: 2, backend: :process, min_batch: 0).start
    def pids = POOL.map([1] * 20, ->(_) { sleep(0.005) && Process.pid }).uniq
  RUBY

  def test_processes_end_when_their_parent_is_killed_also_during_an_item
    out, writer = IO.pipe
    endless = "->(_) { puts(Process.pid) || $stdout.flush; loop { Process.pid } }"
    program = "#{START}\nPOOL.dispatch_async([1, 1], #{endless})\nsleep"
    parent = spawn(RbConfig.ruby, "-W0", "-e", program, out: writer)
    writer.close
    pids = within(20) { Array.new(2) { Integer(out.gets) } }
    Process.kill(:KILL, parent)
    Process.wait(parent)
    assert_gone(pids)
    assert_nil within(5) { out.gets }
  ensure
    out&.close
  end

  def test_processes_end_with_the_program_and_buffers_are_flushed_once
    Dir.mktmpdir do |directory|
      path = File.join(directory, "file")
      out = ruby!(<<~RUBY)
        at_exit { puts "at_exit \#{Process.pid == #{"$parent"}}" }
        $parent = Process.pid
        file = File.open(#{path.inspect}, "w")
        file.write("once")
        #{START}
        print "buffered "
        3.times { Ratomic::Workers::Pool.new(size: 2, backend: :process, min_batch: 0).map([1, 2], ->(n) { GC.start; n }) }
        puts POOL.map([1, 2], ->(n) { GC.start; n }).first
      RUBY
      assert_equal "buffered 1\nat_exit true\n", out
      assert_equal "once", File.read(path)
    end
  end

  def test_ctrl_c_reaches_only_the_parent
    out = ruby!(<<~RUBY, seconds: 40)
      Process.setpgrp rescue nil
      #{START}
      before = pids
      seen = Queue.new
      trap("INT") { seen << true }
      trap("TERM") { seen << true }
      future = POOL.dispatch_async([0.3] * 4, ->(s) { sleep(s) && s })
      sleep 0.1
      Process.kill("INT", 0)
      seen.pop
      Process.kill("TERM", 0)
      seen.pop
      p future.value(timeout: 10), (pids - before).size
    RUBY
    assert_equal "[0.3, 0.3, 0.3, 0.3]\n", out.lines[0]
    assert_includes %w[0 2], out.lines[1].chomp # the proc of the dispatch is younger than they are
  end

  # In the process that it makes, an item returns a second time.
  def test_a_process_that_an_item_forks_without_a_block_ends_with_that_item
    out = ruby!(<<~RUBY)
      at_exit { puts "at_exit" }
      #{START}
      DIVIDE = { fork: -> { fork ? :forked : :child }, daemon: -> { Process.daemon(true, true) } }
      OBEY = ->(item) { DIVIDE.key?(item) ? DIVIDE[item].call : item }
      values = POOL.dispatch_async([1, :fork, 3], OBEY, sequential: true).value(timeout: 10)
      values += POOL.dispatch_async([:daemon, 4], OBEY, sequential: true).value(timeout: 10)
      p values.values_at(0, 1, 2, 4), values[3].message
    RUBY
    assert_equal "[1, :forked, 3, 4]\n\"the worker process ended with status 0 while it ran the item\"\nat_exit\n", out
  end

  # Else what the item has printed would be there twice: Ruby writes only the buffer of `$stdout` before a fork.
  def test_a_process_that_an_item_forks_without_a_block_writes_no_buffers
    out = ruby!(<<~RUBY)
      require "stringio"
      $stdout = StringIO.new
      #{START}
      DIVIDE = lambda do |item|
        STDOUT.write(item)
        pid = fork
        pid ? Process.wait(pid) : STDOUT.write("child")
        item
      end
      # Takes runs.
      module DivideMany
        def self.call(item) = raise("is not called")
        def self.call_many(items) = items.each { |item| DIVIDE.call(item) }
      end
      POOL.dispatch_async(%w[a b], DIVIDE, sequential: true).value(timeout: 10)
      POOL.dispatch_async(%w[c d], DivideMany, sequential: true).value(timeout: 10)
    RUBY
    assert_equal "abcd", out
  end

  # As a child that is forked in C has them.
  def test_the_end_of_a_process_is_noticed_also_if_a_child_of_it_has_its_sockets
    skip "needs Linux" unless RUBY_PLATFORM.include?("linux")
    out = ruby!(<<~RUBY)
      READER, WRITER = IO.pipe # closed when the program and its workers have ended
      #{START}
      LEAVE = lambda do |item|
        next item unless item == 2

        COPIES = ObjectSpace.each_object(UNIXSocket).reject(&:closed?).map(&:dup)
        $stdout.reopen(IO::NULL)
        $stderr.reopen(IO::NULL)
        fork { WRITER.close || (READER.read && exit!) }
        Process.kill(:KILL, Process.pid)
        sleep
      end
      values = POOL.dispatch_async([1, 2, 3], LEAVE, sequential: true).value(timeout: 10)
      p values.values_at(0, 2), values[1].exception_class
    RUBY
    assert_equal "[1, 3]\n\"Ratomic::Workers::WorkerDiedError\"\n", out
  end

  # As that of a thread of the program's own would. The parent's own output comes neither later nor twice.
  def test_what_an_item_writes_is_there_when_its_result_is
    out = ruby!(<<~RUBY)
      print "before, "
      #{START}
      GREET = ->(name) { print("hello ", name, ", ") }
      POOL.map(["you", "all"], GREET, sequential: true)
      puts "after", POOL.map([1], ->(item) { $stdout.close || item }).inspect
    RUBY
    assert_equal "before, hello you, hello all, after\n[1]\n", out
  end

  def test_what_the_parent_has_printed_is_written_once_also_where_stdout_is_another_object
    out = ruby!(<<~RUBY)
      require "stringio"
      print "before, "
      $stdout = StringIO.new
      #{START}
      POOL.map([1, 2], ->(item) { STDOUT.write("item, ") && item })
      $stdout = STDOUT
      puts "after"
    RUBY
    assert_equal "before, item, item, after\n", out
  end

  def test_a_forked_parent_starts_its_own_processes_and_does_not_keep_the_others_alive
    out = ruby!(<<~RUBY, seconds: 40)
      #{START}
      before = pids
      reader, writer = IO.pipe
      child = fork do
        mine = pids
        writer.puts((mine & before).empty? && !mine.include?(Process.pid))
        writer.flush
        sleep
      end
      p reader.gets
      POOL.shutdown(timeout: 10)
      gone = before.all? { |pid| Process.kill(0, pid) && false rescue true }
      100.times { break if gone; sleep 0.02; gone = before.all? { |pid| Process.kill(0, pid) && false rescue true } }
      p gone
      Process.kill(:KILL, child)
      Process.wait(child)
    RUBY
    assert_equal "\"true\\n\"\ntrue\n", out
  end

  def test_a_daemon_starts_its_own_processes
    Dir.mktmpdir do |directory|
      path = File.join(directory, "pids")
      ruby!(<<~RUBY)
        #{START}
        before = pids
        Process.daemon(true)
        File.write(#{path.inspect} + ".new", [before, pids].inspect)
        File.rename(#{path.inspect} + ".new", #{path.inspect})
      RUBY
      eventually(10) { File.exist?(path) }
      before, after = File.read(path).scan(/\[([\d, ]+)\]/).flatten.map { |list| list.split(", ").map(&:to_i) }
      assert_equal [], before & after
      assert_gone(before + after)
    end
  end

  def test_processes_do_not_inherit_files_opened_after_their_start
    pool = processes.start
    file = File.open(__FILE__)
    skip "needs /proc" unless File.directory?("/proc/self/fd")
    named = self.class.const_set(:OPEN_FILES, Lister.new)
    refute_includes within(10) { pool.map([1], named) }[0], File.realpath(__FILE__)
    assert_includes value_of([1], Lister.new)[0], File.realpath(__FILE__)
  ensure
    file&.close
    self.class.send(:remove_const, :OPEN_FILES) if named
  end

  # A collection in a worker writes to what is not old, and has a copy of it from then on.
  def test_objects_from_before_the_start_are_old_in_the_processes
    out = ruby!(<<~'RUBY')
      require "ratomic"
      GC.disable
      LIST = Array.new(60_000) { |n| "#{n} #{"x" * 50}" }
      OLD = ->(_) { GC.stat(:old_objects) }
      GC.enable
      before = GC.stat(:old_objects)
      pool = Ratomic::Workers::Pool.new(size: 1, backend: :process, min_batch: 0)
      Ratomic::Workers::Processes::InheritedCallables.register(OLD)
      p before < 60_000, pool.start.map([1], OLD)[0] > 60_000
    RUBY
    assert_equal "true
true
", out
  end

  # Goes to a process as a copy.
  class Lister
    def call(_item)
      Dir.children("/proc/self/fd").map do |number|
        File.readlink("/proc/self/fd/#{number}")
      rescue SystemCallError
        nil
      end
    end
  end

  private

  # Forks one, as Pool#start does.
  # @return [Thread] that waits for its end
  def process_of_worker(settings)
    before = Thread.list
    Ratomic::Workers::Processes.prepare(settings)
    (Thread.list - before).find { |thread| thread.name.to_s.start_with?("ratomic-process-") }
  end

  def assert_gone(pids)
    eventually(10, "the end of #{pids}") { pids.none? { |pid| alive?(pid) } }
  end

  def alive?(pid)
    Process.kill(0, pid)
    !File.read("/proc/#{pid}/stat")[/\) (\w)/, 1].eql?("Z") || children.include?(pid)
  rescue Errno::ESRCH, Errno::ENOENT
    false
  end

  # @return [Array<Integer>] of this process, zombies too
  def children
    Dir.children("/proc").grep(/\A\d+\z/).select do |pid|
      File.read("/proc/#{pid}/stat")[/\) \w (\d+)/, 1].to_i == Process.pid
    rescue SystemCallError
      false
    end
  end
end
