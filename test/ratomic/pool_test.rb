# frozen_string_literal: true

require "test_helper"
require "support/fiber_scheduler"
require "support/pool_contract"

class PoolTest < Minitest::Test
  include PoolContract

  def setup
    skip_without_ractors unless name.end_with?("without_ractors")
    super
  end

  def teardown
    super if @pools
  end

  def wrong_type
    TypeError
  end

  def new_pool(size:, timeout:)
    Ratomic::Pool.new(size, timeout) { [] }
  end

  def test_it_says_which_ruby_it_needs_without_ractors
    skip "this Ruby has Ractors" if Ratomic::RACTORS

    error = assert_raises(NotImplementedError) { Ratomic::Pool.new(2, 1) { [] } }
    assert_match(/Ruby 4\.0/, error.message)
  end

  def test_the_positional_and_the_keyword_form
    assert_equal 3, Ratomic::Pool.new(3, 0.5) { [] }.tap { |pool| @pools << pool }.size
    assert_equal 5, Ratomic::Pool.new { [] }.tap { |pool| @pools << pool }.size
    assert_equal 4, Ratomic::Pool.new(size: 4, timeout: 0.5) { [] }.tap { |pool| @pools << pool }.size
    error = assert_raises(ArgumentError) { Ratomic::Pool.new(1, 2, size: 3) { [] } }
    assert_equal "size is given twice: as an argument (1) and as a keyword (3)", error.message
    error = assert_raises(ArgumentError) { Ratomic::Pool.new(1, nil, timeout: 3) { [] } }
    assert_match(/timeout is given twice: .*\(nil\)/, error.message)
    assert_raises(TypeError) { Ratomic::Pool.new(nil) { [] } }
    assert_match(/\Asize must be/, assert_raises(TypeError) { Ratomic::Pool.new("1") { [] } }.message)
    assert_match(/\Asize: must be/, assert_raises(TypeError) { Ratomic::Pool.new(size: "1") { [] } }.message)
    assert_match(/\Atimeout must be/, assert_raises(TypeError) { Ratomic::Pool.new(1, "1") { [] } }.message)
    assert_match(/\Atimeout: must be/, assert_raises(TypeError) { Ratomic::Pool.new(timeout: "1") { [] } }.message)
    assert_raises(ArgumentError) { Ratomic::Pool.new(3, 0.5) }
  end

  def test_a_stale_reference_raises_moved_error
    pool = self.pool
    outside = nil
    pool.with { |buffer| outside = buffer << "inside" }
    assert_raises(Ractor::MovedError) { outside << "outside" }
    taken = pool.checkout
    pool.checkin(taken)
    assert_raises(Ractor::MovedError) { taken << "outside" }
  end

  def test_a_stale_reference_raises_moved_error_after_close_too
    pool = self.pool
    outside = nil
    pool.with do |buffer|
      outside = buffer
      pool.close
    end
    assert_raises(Ractor::MovedError) { outside << "outside" }
  end

  def test_an_object_is_moved_with_all_that_it_refers_to
    pool = self.pool(size: 1)
    pool.with { |buffer| buffer << "from main" }
    seen = in_ractor(pool) { |mine| mine.with { |buffer| buffer.dup.tap { buffer << "from the other" } } }
    assert_equal ["from main"], seen
    assert_equal(["from main", "from the other"], pool.with(&:dup))
  end

  def test_the_readme_form_as_a_constant_used_by_many_ractors
    out = ruby!(<<~RUBY)
      require "ratomic"
      BUFFERS = Ratomic::Pool.new(5, 1.0) { [] }
      ractors = Array.new(3) do
        Ractor.new do
          200.times { BUFFERS.with { |buffer| buffer.clear; buffer << "work" } }
          buffer = BUFFERS.checkout
          raise "pool checkout timeout" if buffer.nil?
          begin
            buffer << "manual work"
          ensure
            BUFFERS.checkin(buffer) if buffer
          end
          :done
        end
      end
      p ractors.map(&:value), BUFFERS.available
      outside = nil
      BUFFERS.with { |buffer| outside = buffer }
      begin
        outside << "outside"
      rescue Ractor::MovedError
        puts "moved"
      end
    RUBY
    assert_equal ["[:done, :done, :done]", "5", "moved"], out.lines(chomp: true)
  end

  def test_inside_with_another_with_lends_another_object
    pool = self.pool
    pool.with { |one| pool.with { |two| refute_same one, two } }
    assert_full(pool)
  end

  def test_the_factory_may_be_any_block
    made = []
    pool = Ratomic::Pool.new(2, 1) { ivar_of_the_test(made) }.tap { |new| @pools << new }
    assert_equal 2, made.size
    pool.with(&:freeze) rescue nil # rubocop:disable Style/RescueModifier -- the error has a test of its own
    assert_full(pool)
    assert_equal 3, made.size
  end

  def ivar_of_the_test(made)
    made << 1
    @made = made.size
    [@made]
  end

  def test_a_factory_that_raises_raises_at_new_and_leaves_nothing_running
    assert_leaves_nothing do
      calls = 0
      error = assert_raises(IOError) { Ratomic::Pool.new(3, 1) { (calls += 1) < 3 ? [] : raise(IOError, "no more") } }
      assert_equal "no more", error.message
      assert_equal 3, calls
    end
  end

  def test_a_factory_of_what_cannot_be_moved_is_refused_and_leaves_nothing_running
    assert_leaves_nothing do
      error = assert_raises(Ratomic::OwnershipError) { Ratomic::Pool.new(2, 1) { [Thread.current] } }
      assert_match(/LocalPool/, error.message)
      [1, :symbol, "frozen", [], nil].each do |constant|
        assert_raises(Ratomic::OwnershipError) { Ratomic::Pool.new(2, 1) { constant.freeze } }
      end
    end
  end

  def test_a_frozen_object_is_refused_and_replaced
    pool = self.pool(size: 1)
    object = pool.checkout
    object << 1
    object.freeze
    assert_match(/frozen/, assert_raises(Ratomic::OwnershipError) { pool.checkin(object) }.message)
    assert_full(pool)
    assert_equal([], pool.with(&:dup))
    assert_raises(Ratomic::OwnershipError) { pool.checkin(object) }
    assert_full(pool)
  end

  def test_an_object_that_cannot_be_moved_back_is_refused_and_replaced
    pool = self.pool(size: 1)
    error = assert_raises(Ratomic::OwnershipError) { pool.with { |object| object << Thread.current } }
    assert_match(/Thread/, error.message)
    assert_full(pool)
    assert_raises(KeyError) { pool.with { |object| (object << Thread.current) && raise(KeyError) } }
    assert_full(pool)
    object = pool.checkout
    object << Thread.current
    assert_raises(Ratomic::OwnershipError) { pool.checkin(object) }
    assert_full(pool)
  end

  def test_an_object_that_the_block_moved_elsewhere_is_replaced
    pool = self.pool(size: 1)
    port = Ractor::Port.new
    error = assert_raises(Ratomic::OwnershipError) { pool.with { |object| port.send(object, move: true) } }
    assert_match(/moved elsewhere/, error.message)
    assert_full(pool)
  ensure
    port&.close
  end

  def test_a_killed_thread_that_checked_out_is_noticed_within_a_second
    pool = self.pool(size: 2)
    held = Thread::Queue.new
    thread = Thread.new do
      mine = Array.new(2) { pool.checkout }
      held << true
      sleep if mine
    end
    held.pop
    thread.kill
    thread.join
    eventually(1, "a full pool") { pool.available == 2 }
    assert_full(pool)
  end

  def test_an_object_that_outlives_its_thread_is_not_taken_away
    pool = self.pool(size: 1)
    object = Thread.new { pool.checkout }.value
    assert_nil pool.checkout(timeout: 3 * Ratomic::Pool::LeakDetector::CHECK_INTERVAL_S)
    object << "still mine"
    pool.checkin(object)
    assert_full(pool)
  end

  def test_a_dropped_object_is_replaced_when_it_is_collected
    pool = self.pool(size: 8)
    drop_all(pool)
    eventually(30, "a full pool") { GC.start && false || pool.available == 8 }
    assert_full(pool)
  end

  def drop_all(pool)
    Thread.new { 8.times { pool.checkout } }.join
  end

  def test_an_object_of_a_ractor_that_ended_is_replaced_within_a_second
    pool = self.pool(size: 4)
    in_ractor(pool) { |mine| Array.new(3) { mine.checkout }.size }
    eventually(1, "a full pool") { pool.available == 4 }
    assert_full(pool)
  end

  def test_an_object_of_a_ractor_that_crashed_is_replaced_within_a_second
    pool = self.pool(size: 4)
    assert_raises(KeyError) do
      in_ractor(pool) do |mine|
        Thread.current.report_on_exception = false
        Array.new(3) { mine.checkout }
        mine.with { raise KeyError, "crash" }
      end
    end
    eventually(1, "a full pool") { pool.available == 4 }
    assert_full(pool)
  end

  def test_a_ractor_that_ends_while_its_threads_wait_takes_nothing
    pool = self.pool(size: 1)
    pool.with do
      in_ractor(pool) do |mine|
        threads = Array.new(3) { Thread.new { mine.with(timeout: nil) {} } }
        Thread.pass until threads.all?(&:stop?)
        nil
      end
    end
    assert_full(pool)
  end

  def test_waiters_in_different_ractors_are_served_in_order
    pool = self.pool(size: 1)
    order = Ratomic::Queue.new(8)
    ractors = pool.with do
      Array.new(4) do |number|
        before = inbox_of(pool)
        Ractor.new(pool, order, number) { |mine, told, i| mine.with(timeout: nil) { told.push(i) } }.tap do
          eventually(STATE_TIMEOUT_S, "the request of Ractor #{number}") { waiting(pool) > before }
        end
      end
    end
    ractors.each(&:join)
    assert_equal [0, 1, 2, 3], order.pop_many(8)
  end

  # How many wait, as the pool tells whoever is refused.
  def waiting(pool)
    pool.with(timeout: 0) {}
  rescue Ratomic::TimeoutError => e
    e.message[/(\d+) more callers wait/, 1].to_i
  end
  alias inbox_of waiting

  def test_a_lost_object_is_made_anew_even_if_the_factory_fails_for_a_while
    broken = false
    pool = Ratomic::Pool.new(1, 1) { broken ? raise(IOError, "no more memory") : [] }.tap { |new| @pools << new }
    broken = true
    assert_raises(Ratomic::OwnershipError) { pool.with(&:freeze) }
    eventually { refused(pool)&.include?("IOError: no more memory") }
    assert_match(/1 lost ones are being replaced/, refused(pool))
    broken = false
    assert_full(pool)
  end

  def refused(pool)
    pool.with(timeout: 0) { nil }
  rescue Ratomic::TimeoutError => e
    e.message
  end

  def test_a_shareable_factory_outlives_the_ractor_that_made_the_pool
    factory = Ractor.shareable_proc { [:made] }
    pool = in_ractor(factory) { |make| Ratomic::Pool.new(1, 1, &make) }
    @pools << pool
    assert_full(pool)
    assert_raises(Ratomic::OwnershipError) { pool.with(&:freeze) }
    assert_full(pool)
    assert_equal([:made], pool.with(&:dup))
  end

  def test_a_pool_whose_factory_belongs_to_a_ractor_ends_with_it
    pool = in_ractor { Ratomic::Pool.new(1, 1) { [self.class] } }
    eventually(STATE_TIMEOUT_S, "the end of the pool") { pool.closed? }
    assert_raises(Ratomic::ClosedError) { pool.with {} }
  end

  def test_close_leaves_nothing_running
    assert_leaves_nothing do
      pool = new_pool(size: 3, timeout: 1)
      in_ractor(pool) { |mine| mine.with {} }
      pool.checkin(pool.checkout)
      pool.close
    end
  end

  def test_an_interrupt_in_new_leaves_nothing_running
    pool = Ratomic::Pool.allocate
    assert_leaves_nothing do
      assert_raises(KeyError) do
        Thread.handle_interrupt(KeyError => :on_blocking) do
          Thread.current.raise(KeyError)
          pool.send(:initialize, 1, 1) { [] }
        end
      end
      pool.instance_variable_get(:@channels)[:current]&.close # as the finalizer does
    end
  end

  # A forked child finds its parent's channel.
  ParentsChannel = Struct.new(:process) do
    def closed?
      false
    end

    def close; end
  end

  def test_the_first_use_after_a_fork_by_several_ractors_starts_one_pool
    made = Ratomic::Counter.new
    gate = Ratomic::Queue.new(4).push(:first)
    pool = forked(Ratomic::Pool.new(1, 5, &shareable_factory(made, gate)))
    ractor = Ractor.new(pool, &:available)
    eventually(STATE_TIMEOUT_S, "the call of the factory") { made.read == 2 }
    thread = Thread.new { pool.available }
    until_asleep(thread)
    assert_equal 2, made.read
    gate.close
    assert_equal [1, 1], within(10) { [ractor.value, thread.value] }
  ensure
    gate&.close
  end

  # The pool as a forked child finds it.
  def forked(pool)
    channels = pool.instance_variable_get(:@channels)
    @pools << pool << channels[:current] # both are closed in the end
    channels[:current] = ParentsChannel.new(0).freeze
    pool
  end

  def test_a_first_use_after_a_fork_can_be_interrupted_in_the_factory_and_the_next_use_starts_anew
    made = Ratomic::Counter.new
    gate = Ratomic::Queue.new(4).push(:first)
    pool = forked(Ratomic::Pool.new(1, 5, &shareable_factory(made, gate)))
    assert_leaves_nothing do
      first = Thread.new { pool.with {} }
      eventually(STATE_TIMEOUT_S, "the call of the factory") { made.read == 2 }
      assert first.kill.join(5)
    end
    gate.push(:anew)
    assert_equal [3, :anew], pool.with(&:dup)
  ensure
    gate&.close
  end

  def test_whoever_waits_for_another_ones_first_use_after_a_fork_can_be_interrupted
    made = Ratomic::Counter.new
    gate = Ratomic::Queue.new(4).push(:first)
    pool = forked(Ratomic::Pool.new(1, 5, &shareable_factory(made, gate)))
    first = Thread.new { pool.with(&:dup) }
    eventually(STATE_TIMEOUT_S, "the call of the factory") { made.read == 2 }
    second = Thread.new { pool.with {} }
    until_asleep(second)
    assert second.kill.join(5)
    ended = in_ractor(pool) do |mine|
      thread = Thread.new { mine.with {} }
      Thread.pass until thread.stop?
      !thread.kill.join(5).nil?
    end
    assert ended
    assert_equal(:lent, within(5) { self.pool.with { :lent } }) # another pool, which this Ractor uses first
    gate.close
    assert_equal [2, nil], within(5) { first.value }
  ensure
    gate&.close
  end

  def test_two_fibers_of_a_thread_may_come_first_after_a_fork
    pool = forked(Ratomic::Pool.new(2, 5) { [sleep(0.01)] })
    sizes = []
    FiberScheduler.run { 2.times { Fiber.schedule { pool.with { |list| sizes << list.size } } } }
    assert_equal [1, 1], sizes
  end

  def test_a_factory_may_use_another_pool_after_a_fork
    pool = forked(self.pool(size: 1))
    outer = forked(Ratomic::Pool.new(1, 5) { [pool.with(&:size)] })
    assert_equal([0], outer.with(&:dup))
  end

  def shareable_factory(made, gate)
    Ractor.shareable_proc { [made.increment, gate.pop] }
  end

  def test_a_pool_without_references_ends_by_itself
    assert_leaves_nothing(20) do
      Thread.new { 3.times { new_pool(size: 2, timeout: 1).with {} } }.join
      GC.start
    end
  end

  # Each makes a pool of its own kind, and keeps no reference to it.
  LEAVERS = {
    "dropped" => "q = Ratomic::Pool.new(1) { [] }",
    "used" => "q = Ratomic::Pool.new(1) { [] }; q.with { |list| list << 1 }",
    "replaced" => "q = Ratomic::Pool.new(1) { [] }; q.with { |list| list << Thread.current } rescue q.checkout",
    "with its own self" => "q = Ratomic::Pool.new(1) { make }",
    "of a shareable factory" => "q = Ratomic::Pool.new(1, &Ractor.shareable_proc { [] }); q.with { }",
    "closed" => "q = Ratomic::Pool.new(1) { [] }; q.with { }; q.close",
    "closed, with the variables around it" => "n = 0; q = Ratomic::Pool.new(1) { n += 1; [] }; q.with { }; q.close",
    "of another Ractor" => "Ractor.new { q = Ratomic::Pool.new(1) { [] }; q.with { } }.join"
  }.freeze

  LEAVERS.each do |name, code|
    define_method(:"test_a_pool_that_is_gone_leaves_nothing_#{name.tr(" ,", "_")}") do
      skip_without_ractors
      out = ruby!(<<~RUBY, seconds: 100)
        require "ratomic"
        def make = []
        def use(number)
          number.times { #{code} }
        end
        # What a call has left on the machine's stack keeps a pool alive until others have used that place.
        def collect(depth) = depth.zero? ? GC.start : [collect(depth - 1)].size
        def left
          limit = Process.clock_gettime(Process::CLOCK_MONOTONIC) + 20
          until (Ractor.count == 1 && Thread.list.size == 1) || Process.clock_gettime(Process::CLOCK_MONOTONIC) > limit
            collect(rand(1..100))
            sleep(0.005) # a collection stops all Ractors, and these have to run to end
          end
          objects = Array.new(5) do # what belongs to threads that have just ended goes a little later
            GC.start
            ObjectSpace.count_objects.then { |counts| counts[:TOTAL] - counts[:FREE] }
          end
          [Ractor.count, Thread.list.size, objects.min]
        end
        use(50)
        left
        before = left
        use(150)
        p before, left
      RUBY
      before, after = out.lines.map { |line| line.scan(/\d+/).map(&:to_i) }
      # One may be kept by chance, also by the stack of its own Ractor, until that works again.
      assert_operator after.first(2).max, :<, 4, "Ractors, threads"
      assert_operator after.last, :<, before.last + 300, "objects"
    end
  end

  def test_a_graph_that_reaches_one_object_twice_is_whole_or_refused
    shared = +""
    factories = [-> { Array.new(3, +"") }, -> { { a: (one = +""), b: [one] } }, -> { [shared] }]
    factories.each do |factory|
      twice = nil
      assert_leaves_nothing { twice = twice_of(factory) }
      assert_includes %i[whole refused], twice
    end
  end

  # What of it is lent.
  def twice_of(factory)
    pool = Ratomic::Pool.new(2, 1) { factory.call }
    pool.with(&:inspect)
    :whole
  rescue Ratomic::OwnershipError => e
    assert_match(/object.*\[.*\] and object.* are the same String/, e.message)
    :refused
  ensure
    pool&.close
  end

  def test_an_object_that_came_to_reach_another_twice_is_whole_or_refused
    pool = self.pool(size: 1)
    pool.with { |list| list.push(one = +"", one) }
    assert_equal(["", ""], pool.with { |list| list.map(&:dup) })
  rescue Ratomic::OwnershipError => e
    assert_match(/object\[0\] and object\[1\] are the same String/, e.message)
    assert_full(pool)
  end

  def test_a_cycle_is_moved
    pool = Ratomic::Pool.new(1, 1) { [].tap { |list| list << list } }.tap { |new| @pools << new }
    2.times { pool.with { |list| assert_same list, list[0] } }
  end

  def test_an_object_that_cannot_be_moved_back_stays_whole
    pool = self.pool(size: 1)
    buffer = +"mine"
    error = assert_raises(Ratomic::OwnershipError) { pool.with { |list| list.push(buffer, [Thread.current]) } }
    assert_match(/object\[1\]\[0\] is an instance of Thread/, error.message)
    assert_equal "mine", buffer
    assert_full(pool)
  end

  def test_in_a_signal_handler_it_lends_or_says_what_to_do
    out = ruby!(<<~RUBY)
      require "ratomic"
      UNUSED, USED = Array.new(2) { Ratomic::Pool.new(1) { [] } }
      USED.with { }
      told = Thread::Queue.new
      trap(:USR1) do
        told << USED.with { |list| list.class }
        [-> { UNUSED.with { } }, -> { USED.checkout }].each do |call|
          call.call
          told << nil
        rescue Exception => e
          told << e
        end
        told << USED.available
        told << USED.close
      end
      Process.kill(:USR1, Process.pid)
      5.times { p told.pop }
    RUBY
    lines = out.lines(chomp: true)
    assert_equal "Array", lines[0]
    assert_match(/TrapError.*Thread.new/, lines[1])
    assert_match(/TrapError.*Thread.new/, lines[2])
    assert_equal %w[1 nil], lines.last(2)
  end

  def test_ruby_does_not_warn_of_its_ractor
    result = run_command(RbConfig.ruby, "-w", "-e", <<~RUBY)
      require "ratomic"
      pool = Ratomic::Pool.new(1) { [] }
      pool.with { }
      puts Warning[:experimental]
    RUBY
    assert_success(result)
    assert_equal ["true\n", ""], [result.out, result.err]
  end

  def test_leaving_the_program_with_a_pool_in_use_does_not_hang_and_prints_nothing
    result = ruby(<<~RUBY, seconds: 20)
      require "ratomic"
      POOL = Ratomic::Pool.new(2, nil) { [] }
      HELD = Ratomic::Queue.new(4)
      Ractor.new { POOL.with { HELD.push(1); sleep } }
      Thread.new { POOL.with { HELD.push(1); sleep } }
      2.times { HELD.pop }
      Thread.new { POOL.with { } }
      Ractor.new { POOL.with { } }
    RUBY
    assert_success(result)
    assert_equal "", result.out + result.err
  end

  def test_a_forked_child_has_a_pool_of_its_own
    out = ruby!(<<~RUBY)
      require "ratomic"
      makes = []
      POOL = Ratomic::Pool.new(2, 1) { makes << 1; [] }
      POOL.with do |mine|
        child = fork do
          puts POOL.available, makes.size
          POOL.with { |own| puts own.equal?(mine) }
          puts Ractor.new { POOL.with { :in_a_ractor } }.value
          POOL.close
        end
        Process.wait(child)
        puts $?.success?
        mine << :kept
      end
      puts POOL.available, makes.size, POOL.closed?
    RUBY
    assert_equal %w[2 4 false in_a_ractor true 2 2 false], out.lines(chomp: true)
  end

  def test_a_forked_child_that_uses_the_pool_first_in_another_ractor
    out = ruby!(<<~RUBY)
      require "ratomic"
      ANY = Ratomic::Pool.new(2, 1, &Ractor.shareable_proc { [] })
      MAINS = Ratomic::Pool.new(2, 1) { [] }
      child = fork do
        puts Ractor.new { ANY.with { :made_anew } }.value
        puts Ractor.new { MAINS.with { } rescue $!.message[/main Ractor/] }.value
        puts MAINS.with { :in_main }, Ractor.new { MAINS.with { :now_everywhere } }.value
      end
      Process.wait(child)
      exit $?.exitstatus
    RUBY
    assert_equal ["made_anew", "main Ractor", "in_main", "now_everywhere"], out.lines(chomp: true)
  end

  def test_a_forked_child_starts_no_pool_to_close_it
    out = ruby!(<<~RUBY)
      require "ratomic"
      makes = []
      POOL = Ratomic::Pool.new(2, 1) { makes << 1; [] }
      child = fork do
        puts POOL.closed?, POOL.close.inspect, POOL.closed?, makes.size
        POOL.with { } rescue puts $!.class
      end
      Process.wait(child)
      puts $?.success?, POOL.closed?, POOL.available
    RUBY
    assert_equal %w[false nil true 2 Ratomic::ClosedError true false 2], out.lines(chomp: true)
  end

  def test_a_lease_from_before_the_fork_does_not_disturb_the_childs_pool
    out = ruby!(<<~RUBY)
      require "ratomic"
      POOL = Ratomic::Pool.new(2, 1) { [] }
      taken = POOL.checkout
      POOL.with do
        next if (child = fork).nil?
        Process.wait(child)
        exit $?.exitstatus
      end
      begin
        POOL.checkin(taken)
      rescue Ratomic::OwnershipError
        puts "refused"
      end
      puts POOL.available
    RUBY
    assert_equal %w[refused 2], out.lines(chomp: true)
  end
end
