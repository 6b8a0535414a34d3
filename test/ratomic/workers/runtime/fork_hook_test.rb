# frozen_string_literal: true

require "test_helper"
require "support/fiber_scheduler"
require "support/mailboxes"

class ForkHookTest < Minitest::Test
  include Mailboxes

  Workers = Ratomic::Workers

  # The beginning of a program with a pool that has one worker.
  POOL = <<~RUBY
    require "ratomic"
    Workers = Ratomic::Workers
    module Work; def self.call(item) = item * 2; end
    pool = Workers::Pool.new(size: 1, min_batch: 0)
    pool.dispatch_async([1], Work).value(timeout: 5)
  RUBY

  # A message may be under way to it, and on Ruby 4.1 a port that nobody refers to is collected.
  def test_a_child_keeps_the_port_of_its_parents_coordinator
    skip_without_fork
    skip "this Ruby has one heap for all Ractors" unless Ratomic::HEAP_PER_RACTOR
    assert_equal "true", ruby!(<<~RUBY)
      require "ratomic"
      Ratomic::Workers::Pool.new(size: 1).start
      mailbox = Ratomic::Workers::Pool.const_get(:RUNNING).values[0][1].mailbox
      $stdout.sync = true
      Process.wait(fork do
        print(Ratomic::Workers::ForkHook::PORTS.values == [mailbox])
        exit!(true)
      end)
    RUBY
  end

  # Between its start and its first wait a coordinator could be met by a fork that does not know it.
  def test_a_coordinator_that_begins_during_a_fork_waits_for_its_end
    engine = Workers::Engine.new(Workers::Settings.new(size: 1, backend: :thread), open_mailbox)
    begins = nil
    Workers::ForkHook.around do
      begins = Thread.new { Workers::Coordinator.new(engine).run }
      assert_nil begins.join(0.1)
      assert_empty engine.worker_statuses.to_h, "it has started no worker"
      1 # the parent
    end
    eventually { engine.worker_statuses.to_h.size == 1 }
    assert_empty Workers::ForkHook::FORKS.to_h
  ensure
    engine.kill
    begins.join(5)
  end

  # An engine whose coordinator leaves its mailbox when the thread that forks waits for it.
  class SlowToLeave
    attr_reader :mailbox

    def initialize(mailbox)
      @mailbox = mailbox
      freeze
    end

    def post(message)
      forking = Thread.current
      Thread.new do
        Thread.pass until forking.stop?
        message[1].fill(true)
      end
    end
  end

  def test_no_other_fiber_runs_while_one_waits_for_coordinators_before_a_fork
    Workers::Pool::RUNNING[:slow] = [nil, SlowToLeave.new(:mailbox)].freeze
    order = within(10) do
      FiberScheduler.run do
        [].tap do |done|
          Fiber.schedule do
            Workers::ForkHook.around { done << :forked && 1 }
            done << :returned
          end
          done << :other
        end
      end
    end
    assert_equal %i[forked returned other], order
  ensure
    Workers::Pool::RUNNING.delete(:slow)
  end

  def test_a_child_does_not_wait_for_the_forks_of_its_parents_other_threads
    out = ruby!(<<~RUBY)
      require "ratomic"
      module Work; def self.call(item) = item * 2; end
      Ratomic::Workers::ForkHook::FORKS[0] = Ratomic::Workers::Completion.new(1)
      Process.wait(fork { p Ratomic::Workers.dispatch_async([1], Work).value(timeout: 1.5) })
    RUBY
    assert_equal "[2]\n", out
  end

  def test_an_error_of_a_step_is_shown_once_and_the_other_steps_run
    result = assert_success(ruby(<<~RUBY, seconds: 60))
      require "ratomic"
      module Work; def self.call(item) = item * 2; end
      p Ratomic::Workers.dispatch_async([1], Work).value(timeout: 5)
      def (Ratomic::Workers::AtExit).after_fork = raise(KeyError, "not forgotten")
      def (Ratomic::Workers::Processes).after_fork = raise(KeyError, "not forgotten either")
      Process.wait(fork { p Ratomic::Workers.dispatch_async([2], Work).value(timeout: 5) })
    RUBY
    assert_equal "[2]\n[4]\n", result.out
    assert_equal ["ratomic: an error in the fork hook: KeyError: not forgotten"],
                 result.err.scan(/^ratomic: an error in .*not forgotten[a-z ]*/).map(&:rstrip)
  end

  def test_a_pool_is_known_before_its_coordinator_begins
    known = nil
    engine = Workers::Backend.start(Workers::Settings.new(size: 1, backend: :thread)) do |made|
      known = made
      assert_empty made.worker_statuses.to_h
    end
    assert_same known, engine
  ensure
    engine.kill
    engine.terminated.wait(5)
  end

  def test_a_forked_child_starts_anew_and_the_parent_goes_on
    out = ruby!(<<~RUBY, seconds: 30)
      require "ratomic"
      module Work; def self.call(item) = item == :slow ? sleep(1) : item * 2; end
      pool = Ratomic::Workers::Pool.new(size: 2, min_batch: 0)
      p pool.dispatch_async([1, 2], Work).value(timeout: 5)
      pending = pool.dispatch_async([:slow, :slow, :slow, 4], Work, sequential: true) # nothing is filed before its end
      reader, writer = IO.pipe
      child = fork do
        writer.puts pending.value(timeout: 5).map { |r| r.respond_to?(:failure?) ? r.exception_class : r }.inspect
        writer.puts pool.dispatch_async([3, 4], Work).value(timeout: 5).inspect
        grandchild = fork { writer.puts pool.dispatch_async([5], Work).value(timeout: 5).inspect }
        Process.wait(grandchild)
        writer.puts pool.shutdown(timeout: 5)
      end
      p pool.dispatch_async([6], Work).value(timeout: 5)
      Process.wait(child)
      writer.close
      puts reader.read
      p pending.value(timeout: 15).last
      p $?.success?, pool.shutdown(timeout: 5)
    RUBY
    lost = ["Ratomic::Workers::ShutdownError"] * 4
    assert_equal ["[2, 4]", "[12]", lost.inspect, "[6, 8]", "[10]", "true", "8", "true", "true"], out.lines.map(&:chomp)
  end

  def test_a_child_waits_for_no_batch_that_only_a_worker_knew
    out = ruby!(POOL + <<~RUBY)
      engine = Workers::Pool::RUNNING.values.first.last
      taken = Workers::Batch.new([1].freeze, 1, 1, Work, Workers::Options.new, 64)
      engine.accept(taken)
      Process.wait(fork { p taken.completion.wait(3) && taken.completion[0].exception_class })
      p taken.completion.complete?
    RUBY
    assert_equal "\"Ratomic::Workers::ShutdownError\"\nfalse\n", out
  end

  # Another Ractor may have been about to make one, or anything else that a look through the heap shows half-made.
  def test_the_block_of_a_fork_runs_whatever_objects_there_are
    out = ruby!(POOL + <<~RUBY)
      engine = Workers::Pool::RUNNING.values.first.last
      engine.accept(Workers::Batch.new([1].freeze, 1, 1, Work, Workers::Options.new, 64))
      unfinished = [Workers::Batch, Workers::Completion, Workers::Future, Workers::Engine, Ratomic::Map, Ratomic::Queue]
      unfinished.map!(&:allocate)
      Process.wait(fork { p :ran })
    RUBY
    assert_equal ":ran\n", out
  end

  def test_a_step_of_the_hook_that_fails_spoils_neither_the_fork_nor_the_other_steps
    out = ruby!(POOL + <<~RUBY)
      Workers::Pool::RUNNING[0] = [:no_pool, :no_engine]
      child = fork { p pool.dispatch_async([2], Work).value(timeout: 5) }
      Process.wait(child)
      p Workers::ForkHook::FORKS.size, $?.success?
      Workers::Pool::RUNNING.delete(0)
    RUBY
    assert_equal "[4]\n0\ntrue\n", out
  end

  def test_an_engine_without_a_coordinator_can_be_lost
    engine = Workers::Engine.new(Workers::Settings.new(size: 1, backend: :inline), nil)
    batch = Workers::Batch.new([1].freeze, 1, 1, Workers::ParseJSON, Workers::Options.new, 64)
    engine.board[:here] = batch
    engine.lose
    assert_equal "Ratomic::Workers::ShutdownError", batch.completion[0].exception_class
  end

  def test_a_program_with_many_pools_of_threads_forks_again_and_again
    skip_without_ractors
    out = ruby!(<<~RUBY, seconds: 60)
      require "ratomic"
      module Work; def self.call(item) = item * 2; end
      pools = Array.new(7) { Ratomic::Workers::Pool.new(size: 2, backend: :thread, min_batch: 0) }
      pools.each { |pool| pool.dispatch_async([1], Work).value(timeout: 5) }
      5.times do
        child = fork do
          20.times do
            ports = Thread::Queue.new
            threads = Array.new(8) { Thread.new { port = Ractor::Port.new; ports << port; port.receive } }
            8.times { ports.pop << :word }
            threads.each(&:join)
          end
          pools.each { |pool| pool.dispatch_async([3], Work).value(timeout: 5) == [6] or exit!(1) }
          exit!(0)
        end
        Process.wait(child)
        p $?.success?
      end
    RUBY
    assert_equal ["true\n"] * 5, out.lines
  end

  # A coordinator that waits on its port while the process forks would spoil the ports of the child: it hung or crashed.
  def test_a_program_with_several_pools_forks_again_and_again
    skip_on_development_ruby "a child collects as if it had one heap, and crashes, also without ratomic"
    out = ruby!(<<~RUBY, seconds: 30)
      require "ratomic"
      module Work; def self.call(item) = item.is_a?(Float) ? sleep(item) : item * 2; end
      first, killed = Array.new(2) { Ratomic::Workers::Pool.new(size: 2, min_batch: 0) }
      first.dispatch_async([1, 2], Work).value(timeout: 5)
      killed.dispatch_async([5.0] * 4, Work)
      killed.kill
      pools = [first, Ratomic::Workers::Pool.new(size: 1, min_batch: 0), Ratomic::Workers::Pool.new(backend: :inline)]
      3.times { pools[1].dispatch_async([0.1], Work) }
      10.times do
        child = fork do
          pools.each { |pool| pool.dispatch_async([3, 4], Work).value(timeout: 5) == [6, 8] or exit!(1) }
          exit!(0)
        end
        pools.each { |pool| pool.dispatch_async([5], Work).value(timeout: 5) == [10] or exit!(1) }
        Process.wait(child)
        p $?.success?
      end
    RUBY
    assert_equal ["true\n"] * 10, out.lines
  end

  def test_a_program_that_becomes_a_daemon_starts_its_pools_anew
    out = within(30) { ruby!(<<~RUBY) } # reads what the daemon says, too, until it ends
      require "ratomic"
      module Work; def self.call(item) = item * 2; end
      pool = Ratomic::Workers::Pool.new(size: 2, min_batch: 0)
      p pool.dispatch_async([1, 2], Work).value(timeout: 5)
      $stdout.flush
      Process.daemon(true, true)
      p pool.dispatch_async([3, 4], Work).value(timeout: 5), pool.shutdown(timeout: 5)
    RUBY
    assert_equal "[2, 4]\n[6, 8]\ntrue\n", out
  end
end
