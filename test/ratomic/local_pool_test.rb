# frozen_string_literal: true

require "test_helper"
require "support/pool_contract"

class LocalPoolTest < Minitest::Test
  include PoolContract

  # A live resource that knows where it was made. Its counters tell how many are open, and how many were ever made.
  class Resource
    attr_reader :ractor, :process

    def initialize(opened, made)
      @ractor = Ractor.current
      @process = Process.pid
      @opened = opened
      made.increment
      opened.increment
    end

    def close
      raise IOError, "closed twice" if @closed

      @closed = true
      @opened.decrement
    end

    def closed?
      @closed ? true : false
    end
  end

  Factory = Struct.new(:opened, :made) do
    def call
      Resource.new(opened, made)
    end
  end

  def setup
    super
    @factory = Factory.new(Ratomic::Counter.new, Ratomic::Counter.new).freeze
  end

  def wrong_type
    ArgumentError
  end

  def new_pool(size:, timeout:)
    Ratomic::LocalPool.new(size: size, timeout: timeout, factory: @factory)
  end

  def opened
    @factory.opened.read
  end

  def made
    @factory.made.read
  end

  def test_with_nests_in_one_thread
    pool = self.pool(size: 1, timeout: 0)
    pool.with do |outer|
      pool.with { |inner| assert_same outer, inner }
      assert_equal 0, pool.available
    end
    assert_full(pool)
  end

  def test_with_does_not_nest_across_threads
    pool = self.pool(size: 2)
    pool.with { |mine| refute_same mine, within(5) { pool.with { |others| others } } }
  end

  def test_threads_share_and_resources_are_made_only_when_needed
    pool = self.pool(size: 5)
    first = pool.with { |resource| resource }
    assert_same(first, within(5) { pool.with { |resource| resource } })
    assert_equal 1, made
    assert_equal 5, pool.available
  end

  def test_ractors_never_share
    skip_without_ractors
    pool = self.pool(size: 1)
    pool.with do |mine|
      assert_equal([true, false], in_ractor(pool, mine.object_id) do |same_pool, main_id|
        same_pool.with { |resource| [resource.ractor.equal?(Ractor.current), resource.object_id == main_id] }
      end)
    end
  end

  def test_the_resource_used_last_is_lent_first
    pool = self.pool(size: 2)
    first = pool.checkout
    second = pool.checkout
    pool.checkin(second)
    pool.checkin(first)
    assert_same(first, pool.with { |resource| resource })
  end

  def test_the_size_bounds_the_open_resources_under_load
    pool = self.pool(size: 3)
    most = Ratomic::Map.new
    threads = Array.new(8) do |number|
      random = seeded(number)
      Thread.new do
        200.times do
          pool.with do
            now = opened
            most.upsert(:most, now) { |before| [before, now].max }
            Thread.pass
            pool.discard_current if random.rand < 0.2
          end
          pool.reload if random.rand < 0.02
        end
      end
    end
    within(60) { threads.each(&:join) }
    assert_operator most[:most], :<=, 3
    assert_operator opened, :<=, 3
    assert_full(pool)
    pool.close
    assert_equal 0, opened
  end

  module Flaky
    CALLS = Ratomic::Counter.new

    def self.call
      raise IOError, "no server" if CALLS.increment < 3

      +"up"
    end
  end

  def test_a_factory_that_raises_frees_its_place
    Flaky::CALLS.reset
    pool = Ratomic::LocalPool.new(size: 1, timeout: 0, factory: Flaky)
    2.times { assert_equal "no server", assert_raises(IOError) { pool.with {} }.message }
    assert_equal 1, pool.available
    assert_equal("up", pool.with { |resource| resource })
  end

  module SlowThenRaising
    GATE = Ratomic::Queue.new(1)

    def self.call
      GATE.pop
      raise IOError, "no server"
    end
  end

  def test_a_factory_that_raises_lets_the_next_waiter_try
    pool = Ratomic::LocalPool.new(size: 1, timeout: nil, factory: SlowThenRaising)
    threads = Array.new(3) { waiter(pool) }
    3.times { SlowThenRaising::GATE.push(:go) }
    threads.each { |thread| assert_raises(IOError) { within(5) { thread.join } } }
    assert_equal 1, pool.available
  end

  def test_a_thread_killed_in_the_factory_frees_its_place
    pool = Ratomic::LocalPool.new(size: 1, timeout: nil, factory: SlowThenRaising)
    thread = waiter(pool)
    thread.kill
    within(5) { thread.join }
    assert_equal 1, pool.available
  end

  module Circular
    def self.call
      POOL.with { |resource| resource }
    end
    POOL = Ratomic::LocalPool.new(size: 2, timeout: 0, factory: self)
  end

  def test_a_factory_that_uses_its_own_pool_is_reported
    assert_match(/itself/, assert_raises(Ratomic::Error) { Circular::POOL.with { flunk } }.message)
    assert_equal 2, Circular::POOL.available
  end

  module Nothing
    def self.call; end
  end

  def test_a_factory_that_makes_nil_is_reported
    pool = Ratomic::LocalPool.new(size: 1, factory: Nothing)
    assert_match(/nil/, assert_raises(Ratomic::Error) { pool.with {} }.message)
    assert_equal 1, pool.available
  end

  def test_close_closes_idle_resources_now_and_those_in_use_when_they_come_back
    pool = self.pool(size: 3)
    idle = pool.checkout
    out = pool.checkout
    pool.checkin(idle)
    pool.with do |current|
      # The one that came back last is the one that `with` lends.
      assert_same idle, current
      pool.close
      refute current.closed?
    end
    assert idle.closed?
    refute out.closed?
    pool.checkin(out)
    assert out.closed?
    assert_equal 0, opened
  end

  def test_close_closes_what_is_idle
    pool = self.pool
    resource = pool.with { |one| one }
    pool.close
    assert resource.closed?
  end

  def test_close_reaches_this_ractor_only
    skip_without_ractors
    pool = self.pool
    to_other = Ratomic::Queue.new(1)
    from_other = Ratomic::Queue.new(1)
    other = Ractor.new(pool, to_other, from_other) do |mine, orders, answers|
      mine.with {}
      answers.push(:made)
      orders.pop
      [mine.closed?, mine.with(&:closed?)]
    end
    from_other.pop
    pool.close
    to_other.push(:look)
    assert_equal [false, false], other.value
    assert pool.closed?
  end

  def test_reload_renews_idle_resources_now_and_those_in_use_when_they_come_back
    pool = self.pool(size: 2)
    idle = nil
    pool.with do |used|
      idle = within(5) { pool.with { |resource| resource } }
      pool.reload
      assert idle.closed?
      refute used.closed?
      idle = used
    end
    assert idle.closed?
    refute(pool.with(&:closed?))
    assert_full(pool)
    assert_raises(Ratomic::ClosedError) { pool.tap(&:close).reload }
  end

  def test_discard_current_replaces_a_broken_resource
    pool = self.pool(size: 1)
    broken = pool.with do |resource|
      pool.with { pool.discard_current }
      refute resource.closed?
      resource
    end
    assert broken.closed?
    refute_same(broken, pool.with { |resource| resource })
    assert_raises(Ratomic::OwnershipError) { pool.discard_current }
    assert_full(pool)
  end

  def test_an_interrupted_block_inside_another_discards_the_resource_of_both
    pool = self.pool(size: 1)
    used = pool.with do |resource|
      entered = false
      until entered # on a busy machine the time may be up before
        assert_raises(Timeout::Error) { Timeout.timeout(0.05) { pool.with { (entered = true) && sleep } } }
      end
      refute resource.closed?
      resource
    end
    assert used.closed?
    assert_equal 1, made
    pool.with { |resource| refute_same used, resource }
  end

  def test_an_interrupt_in_the_factory_discards_nothing
    pool = Ratomic::LocalPool.new(size: 1, factory: SlowThenRaising)
    assert_raises(Timeout::Error) { Timeout.timeout(0.05) { pool.with { flunk } } }
    assert_equal 1, pool.available
  end

  # Answers the requests that were sent, one after the other, as a server does on one connection.
  class Conversation
    def self.call
      new
    end

    def initialize
      @answers = []
    end

    def ask(text, &meanwhile)
      @answers << "answer to #{text}"
      meanwhile&.call
      @answers.shift
    end
  end
  CONVERSATIONS = Ratomic::LocalPool.new(size: 1, factory: Conversation)

  module RactorCapabilities
    def self.call(text)
      CONVERSATIONS.with { |conversation| conversation.ask(text) { sleep if text == "slow" } }
    end
  end

  def test_an_item_that_was_interrupted_between_request_and_answer_does_not_leave_its_answer_to_the_next
    pool = Ratomic::Workers::Pool.new(size: 1)
    slow = pool.dispatch_async(%w[slow], RactorCapabilities, item_timeout: 0.1)
    assert_equal ["Ratomic::Workers::ItemTimeoutError"], slow.value(timeout: 10).map(&:exception_class)
    assert_equal ["answer to next"], pool.dispatch_async(%w[next], RactorCapabilities, min_batch: 0).value(timeout: 10)
    cancelled = pool.dispatch_async(%w[slow], RactorCapabilities, min_batch: 0)
    eventually { pool.stats[:in_flight] != 0 }
    cancelled.cancel(interrupt: true)
    assert_equal ["answer to last"], pool.dispatch_async(%w[last], RactorCapabilities, min_batch: 0).value(timeout: 10)
  ensure
    pool&.kill
  end

  def test_in_a_signal_handler_it_says_what_to_do
    out = ruby!(<<~RUBY)
      require "ratomic"
      module Make
        def self.call = Object.new
      end
      UNUSED, USED = Array.new(2) { Ratomic::LocalPool.new(size: 1, factory: Make) }
      USED.with { }
      held = USED.checkout
      told = Thread::Queue.new
      trap(:USR1) do
        [
          -> { UNUSED.with { } }, -> { USED.with { } }, -> { USED.checkout }, -> { USED.checkin(held) },
          -> { USED.discard(held) }, -> { USED.available }, -> { USED.reload }, -> { USED.close }
        ].each do |call|
          call.call
          told << "nothing"
        rescue Exception => e
          told << e
        end
        Thread.new { USED.with(timeout: 5) { told << "in a thread" } }
      end
      Process.kill(:USR1, Process.pid)
      errors = Array.new(8) { told.pop }
      USED.checkin(held)
      puts errors.map(&:class), errors[0].message, told.pop
    RUBY
    lines = out.lines(chomp: true)
    assert_equal ["Ratomic::TrapError"] * 8, lines.first(8)
    assert_match(/Thread.new/, lines[8])
    assert_equal "in a thread", lines[9]
  end

  def test_a_thread_error_of_the_block_is_its_own
    pool = self.pool(size: 1)
    error = assert_raises(ThreadError) { pool.with { raise ThreadError, "mine" } }
    assert_equal "mine", error.message
  end

  def test_a_pool_that_was_used_and_dropped_or_closed_leaves_nothing
    counts = ruby!(<<~'RUBY', seconds: 60)
      require "ratomic"
      module Make
        def self.call = Object.new
      end
      def use(number, close)
        number.times do
          pool = Ratomic::LocalPool.new(size: 2, factory: Make)
          pool.with { }
          pool.close if close
        end
      end
      # What a finalizer lets go of is freed by a later collection than the pool.
      def left
        4.times { GC.start }
        counts = ObjectSpace.count_objects
        [counts[:TOTAL] - counts[:FREE], Symbol.all_symbols.size]
      end
      [false, true].each do |close|
        use(200, close)
        before = left
        use(2_000, close)
        puts left.zip(before).map { |now, then_| now - then_ }
      end
    RUBY
    counts.lines.each { |more| assert_operator Integer(more), :<, 200 }
  end

  def test_discard_replaces_what_was_checked_out
    pool = self.pool(size: 1)
    broken = pool.checkout
    pool.discard(broken)
    assert broken.closed?
    refute_same(broken, pool.with { |resource| resource })
    assert_raises(Ratomic::OwnershipError) { pool.discard(broken) }
  end

  def test_a_thread_that_ends_without_checkin_loses_its_resource
    pool = self.pool(size: 1)
    lost = within(5) { Thread.new { pool.checkout }.value }
    assert_equal 1, pool.available
    assert_same(:lent, pool.with { |resource| resource.equal?(lost) ? :kept : :lent })
    assert lost.closed?
    assert_equal 1, opened
  end

  def test_a_waiter_notices_a_holder_that_ended_without_checkin
    pool = self.pool(size: 1)
    gate = Thread::Queue.new
    held = Thread::Queue.new
    holder = Thread.new { (held << pool.checkout) && gate.pop }
    held.pop
    thread = waiter(pool) { :served }
    gate << :go
    holder.join
    assert_equal :served, within(5) { thread.value }
  end

  def test_an_error_of_closing_is_raised_by_close_after_all_were_closed_and_by_nothing_else
    closed = Ratomic::Counter.new
    pool = Ratomic::LocalPool.new(size: 2, factory: @factory, close: Refusing.new(closed).freeze)
    pool.with { pool.discard_current }
    assert_equal 1, closed.read
    taken = Array.new(2) { pool.checkout }
    taken.each { |resource| pool.checkin(resource) }
    assert_raises(IOError) { pool.close }
    assert_equal 3, closed.read
    assert_equal 2, pool.available
    assert_nil pool.close
  end

  Refusing = Struct.new(:closed) do
    def call(_resource)
      closed.increment
      raise IOError, "will not close"
    end
  end

  def test_a_factory_that_is_not_shareable_is_refused_with_the_reason_and_advice
    message = assert_raises(Ratomic::ShareableError) { Ratomic::LocalPool.new { +"" } }.message
    assert_match(/Ractor.shareable_proc/, message)
    unfrozen = Struct.new(:host) { def call; end }.new(+"127.0.0.1").freeze
    message = assert_raises(Ratomic::ShareableError) { Ratomic::LocalPool.new(factory: unfrozen) }.message
    assert_match(/host.*String/, message)
    assert_match(/Ractor.make_shareable/, message)
    assert_raises(Ratomic::ShareableError) { Ratomic::LocalPool.new(factory: @factory, close: -> {}) }
    assert_raises(ArgumentError) { Ratomic::LocalPool.new(factory: :nothing_to_call) }
    assert_raises(LocalJumpError) { Ratomic::LocalPool.new }
    assert_raises(LocalJumpError) { Ratomic::LocalPool.new(size: 2, factory: nil) }
    assert_raises(ArgumentError) { Ratomic::LocalPool.new(factory: @factory) { 1 } }
  end

  def test_a_shareable_block_is_a_factory
    skip_without_ractors
    pool = Ratomic::LocalPool.new(size: 1, &Ractor.shareable_proc { [] })
    assert_equal([], pool.with { |resource| resource })
  end

  def test_a_ractor_that_ends_leaves_no_resource_open
    skip_without_ractors
    pool = self.pool(size: 3)
    in_ractor(pool) do |mine|
      held = Thread::Queue.new
      Thread.new { mine.with { (held << true) && sleep } }
      held.pop
      mine.checkout
      mine.with {}
      nil
    end
    assert_equal 3, made
    eventually(STATE_TIMEOUT_S, "closed resources (#{opened} are open)") { opened.zero? }
  end

  def test_a_ractor_that_crashes_leaves_no_resource_open
    skip_without_ractors
    pool = self.pool(size: 3)
    assert_raises(KeyError) do
      in_ractor(pool) do |mine|
        Thread.current.report_on_exception = false
        mine.with { raise KeyError, "crash" }
      end
    end
    assert_equal 1, made
    eventually(STATE_TIMEOUT_S, "closed resources (#{opened} are open)") { opened.zero? }
  end

  def test_first_use_by_many_threads_of_a_ractor_makes_one_pool
    pool = self.pool(size: 4)
    ractor = Ractor.new(pool) do |mine|
      gate = Thread::Queue.new
      threads = Array.new(12) { Thread.new { gate.pop && mine.with { |resource| Thread.pass || resource.object_id } } }
      12.times { gate << true }
      threads.map(&:value).uniq.size
    end
    resources = ractor.respond_to?(:value) ? ractor.value : ractor.take # Ruby 3.1 has Ractors too, of the old kind
    assert_includes 1..4, resources
    assert_equal resources, made
  end

  def test_a_forked_child_makes_its_own_resources_and_leaves_its_parents_open
    out = ruby!(<<~RUBY)
      require "ratomic"
      class Resource
        attr_reader :process
        def initialize = @process = Process.pid
        def close = puts("closed by \#{Process.pid == @process ? "its maker" : "another"}")
      end
      class Factory
        def call = Resource.new
      end
      POOL = Ratomic::LocalPool.new(size: 2, timeout: 1, factory: Factory.new.freeze)
      POOL.with { }
      POOL.with do |mine|
        child = fork do
          POOL.with { |own| puts own.process == Process.pid, own.equal?(mine), POOL.available }
          POOL.close
        end
        Process.wait(child)
        puts $?.success?
        puts POOL.with { |still| still.equal?(mine) }
      end
    RUBY
    assert_equal ["true", "false", "1", "closed by its maker", "true", "true"], out.lines(chomp: true)
  end

  def test_a_forked_child_that_leaves_the_block_leaves_its_parents_resource_open
    out = ruby!(<<~RUBY)
      require "ratomic"
      class Resource
        def self.call = new
        def initialize = @process = Process.pid
        def close = $stdout.syswrite("closed by \#{Process.pid == @process ? "its maker" : "another"}\n")
      end
      PARENT = Process.pid
      POOL = Ratomic::LocalPool.new(size: 1, timeout: 1, factory: Resource)
      [-> { exit }, -> { raise Interrupt }, -> { POOL.discard_current }].each do |leave|
        POOL.with do
          if (child = fork)
            Process.wait(child)
            next $stdout.syswrite("\#{$?.exitstatus}\n")
          end
          at_exit { exit!(POOL.available) }
          leave.call
        end
        exit if Process.pid != PARENT
      end
      POOL.close
    RUBY
    assert_equal %w[1 1 1] + ["closed by its maker"], out.lines(chomp: true)
  end

  def test_a_fiber_gets_a_resource_of_its_own
    pool = self.pool(size: 2)
    pool.with { |mine| refute_same mine, Fiber.new { pool.with { |other| other } }.resume }
  end
end
