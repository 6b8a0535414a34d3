# frozen_string_literal: true

require "test_helper"

# What happens to pools when the program ends. Programs with stuck workers are in the tests of the backends.
class AtExitTest < Minitest::Test
  def test_threads_that_dispatch_all_the_time_do_not_keep_the_program_from_ending
    ["loop { pool.dispatch_async([1], Work).value rescue nil }", "pool.stream(1.step, Work).each {}"].each do |use|
      ended = ruby(<<~RUBY, seconds: 20)
        require "ratomic"
        module Work; def self.call(item) = item; end
        pool = Ratomic::Workers::Pool.new(size: 2, min_batch: 0)
        Array.new(3) { Thread.new { Thread.current.report_on_exception = false; #{use} } }
        sleep 0.01 until pool.stats[:items][:finished] > 50
        exit 3
      RUBY
      assert_equal [3, ""], [ended.status.exitstatus, ended.err]
    end
  end

  def test_a_handler_that_runs_after_ours_can_use_a_pool
    out = ruby!(<<~RUBY, seconds: 20)
      at_exit { p POOL.dispatch_async([1, 2], Work).value(timeout: 5) }
      require "ratomic"
      module Work; def self.call(item) = item * 2; end
      POOL = Ratomic::Workers::Pool.new(size: 1, min_batch: 0)
      p POOL.dispatch_async([1], Work).value(timeout: 5)
    RUBY
    assert_equal "[2]\n[2, 4]\n", out
  end

  def test_a_signal_ends_the_program_as_a_signal_also_with_a_stuck_worker
    ended = ruby(<<~RUBY, seconds: 20)
      require "ratomic"
      Ratomic::Workers::AtExit.stuck(Ratomic::Workers::WorkerStatus.new(1))
      Process.kill(:TERM, Process.pid)
      sleep
    RUBY
    assert_equal ["", Signal.list["TERM"]], [ended.err, ended.status.termsig]
  end

  # With threads, in the caller's own, when the pool was killed, and some time later.
  { thread: "", inline: "", default: "POOL.kill", later: "sleep 1" }.each do |backend, before|
    define_method("test_an_item_that_nothing_can_interrupt_does_not_keep_the_program_from_ending_#{backend}") do
      limit = backend == :default ? nil : 0.1
      backend = nil if %i[default later].include?(backend)
      ended = ruby(<<~RUBY, seconds: 15)
        require "ratomic"
        module Deaf
          def self.call(seconds)
            Thread.handle_interrupt(Object => :never) { sleep(seconds) }
          end
        end
        POOL = Ratomic::Workers::Pool.new(size: 1, backend: #{backend.inspect}, min_batch: 0)
        future = POOL.dispatch_async([30], Deaf, item_timeout: #{limit.inspect})
        #{limit ? "future.value" : "sleep 0.3"}
        #{before}
        exit 7
      RUBY
      assert_equal [7, ""], [ended.status.exitstatus, ended.err]
    end
  end

  def test_a_background_thread_that_runs_a_stuck_item_does_not_keep_the_program_from_ending
    ["backend: :inline", "max_queue: 1, size: 1, on_full: :caller_runs"].each do |settings|
      ended = ruby(<<~RUBY, seconds: 15)
        require "ratomic"
        BEGUN = Ratomic::Counter.new
        module Deaf
          def self.call(seconds)
            Thread.handle_interrupt(Object => :never) { BEGUN.increment && sleep(seconds) }
          end
        end
        pool = Ratomic::Workers::Pool.new(#{settings}, min_batch: 0)
        Thread.new { 3.times { pool.dispatch_async([30], Deaf) } }
        sleep 0.01 until BEGUN.value == (pool.backend == :inline ? 1 : 2)
        exit 7
      RUBY
      assert_equal [7, ""], [ended.status.exitstatus, ended.err]
    end
  end

  def test_a_forked_child_has_no_stuck_workers
    out = ruby!(<<~RUBY, seconds: 20)
      at_exit { puts "handlers run" if Process.pid != PARENT }
      PARENT = Process.pid
      require "ratomic"
      Ratomic::Workers::AtExit.stuck(pulse = Ratomic::Workers::WorkerStatus.new(1))
      Process.wait(fork { exit 0 })
      Ratomic::Workers::AtExit.unstuck(pulse)
    RUBY
    assert_equal "handlers run\n", out
  end
end
