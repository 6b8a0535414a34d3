# frozen_string_literal: true

require "test_helper"
require "support/shown_errors"

class OwnThreadTest < Minitest::Test
  include ShownErrors

  OwnThread = Ratomic::Workers::OwnThread

  def test_it_runs_the_block_in_a_thread_of_that_name_that_says_nothing_when_it_dies
    thread = OwnThread.start("ratomic-test") { [Thread.current.name, Thread.current.report_on_exception] }
    assert_equal ["ratomic-test", false], within(5) { thread.value }
    assert_nil within(5) { OwnThread.start { Thread.current.name }.value }
  end

  def test_it_has_the_fork_safe_mark_that_servers_look_for
    thread = OwnThread.start { sleep }
    assert thread.thread_variable_get(:fork_safe)
    assert_nil Thread.current.thread_variable_get(:fork_safe)
  ensure
    thread&.kill
  end

  def test_join_does_not_raise_the_exception_that_ended_the_thread
    [-> { raise NotImplementedError }, -> { exit }, -> { throw :tag }].each do |way|
      assert_nil within(5) { OwnThread.start(&way).value }
    end
  end

  class OwnError < StandardError
  end

  def test_the_error_of_a_thread_that_runs_no_items_is_shown
    assert_shown(OwnError, /an error in a thread of the test: .*OwnError: unexpected/) do
      within(5) { OwnThread.start(place: "a thread of the test") { raise OwnError, "unexpected" }.join }
    end
  end

  def test_it_can_be_interrupted_whatever_mask_its_creator_had
    Thread.handle_interrupt(Object => :never) do
      [:kill.to_proc, ->(thread) { thread.raise(KeyError) }].each do |way|
        thread = OwnThread.start { sleep }
        until_asleep(thread)
        way.call(thread)
        eventually { !thread.alive? }
      end
    end
  end

  # The creator is held up where it names the thread, until the block has run.
  def test_the_mark_is_there_before_the_block_runs
    creator = Thread.current
    gate = Thread::Queue.new
    name = Class.new do
      define_method(:to_str) { Thread.current.equal?(creator) ? gate.pop : "held" }
    end.new
    thread = Ratomic::Workers::OwnThread.start(name) do
      Thread.current.thread_variable_get(:fork_safe).tap { gate << "held" }
    end
    assert within(10) { thread.value }
  end

  # As where the system has no thread to give.
  REFUSE = <<~RUBY
    at_exit { puts "left in order" } # which does not run if the program cannot wait for its pools
    require "ratomic"
    REFUSED = Ratomic::Counter.new
    module Refuse
      def start(name = nil, *more, **options, &block)
        return super if REFUSED.zero? || !refused?(name)

        REFUSED.decrement
        raise ThreadError, "can't create Thread"
      end
    end
    Ratomic::Workers::OwnThread.singleton_class.prepend(Refuse)
    module Die
      def self.call(item) = item == :die ? Thread.exit : item * 2
    end
    pool = Ratomic::Workers::Pool.new(size: 1, backend: ARGV[0].to_sym, min_batch: 0)
  RUBY

  # The first one, and one in the place of a thread that an item has ended.
  def test_a_worker_that_gets_no_thread_for_its_items_is_replaced
    backends.each do |backend|
      assert_equal "[2, 4]\n[2, \"ThreadError\", 6]\n[2, 0]\nleft in order\n", ruby!(REFUSE + <<~RUBY, backend)
        def (Ratomic::Workers::OwnThread).refused?(name) = name.nil?
        REFUSED.reset(1)
        p pool.dispatch_async([1, 2], Die).value
        REFUSED.reset(1)
        p pool.dispatch_async([1, :die, 3], Die).value.map { |result| Integer === result ? result : result.exception_class }
        p [pool.stats[:troubles][:count], REFUSED.value]
      RUBY
    end
  end

  def test_a_pool_that_gets_no_thread_for_its_coordinator_is_started_by_the_next_dispatch
    backends.each do |backend|
      assert_equal "ThreadError\n0\n[2]\nleft in order\n", ruby!(REFUSE + <<~RUBY, backend)
        def (Ratomic::Workers::OwnThread).refused?(name) = name == "ratomic-coordinator"
        REFUSED.reset(1)
        puts (pool.dispatch_async([1], Die) rescue $!.class)
        p Ratomic::Workers::Pool::RUNNING.size
        p pool.dispatch_async([1], Die).value
      RUBY
    end
  end

  # No thread of any kind, for a while: also none for the timer that is to try again.
  def test_a_pool_whose_workers_and_timer_get_no_thread_runs_everything_later
    backends.each do |backend|
      assert_equal "[2, 4]\n[2, \"ThreadError\", 6]\ntrue\nleft in order\n", ruby!(REFUSE + <<~RUBY, backend)
        def (Ratomic::Workers::OwnThread).refused?(name) = name != "ratomic-coordinator"
        REFUSED.reset(6)
        p pool.dispatch_async([1, 2], Die).value(timeout: 60)
        REFUSED.reset(6)
        p pool.dispatch_async([1, :die, 3], Die).value(timeout: 60)
              .map { |result| Integer === result ? result : result.exception_class }
        REFUSED.reset
        p pool.shutdown(timeout: 60)
      RUBY
    end
  end

  def test_a_coordinator_that_was_killed_goes_on_where_no_other_thread_can_be_made
    backends.each do |backend|
      said = "Ratomic::Workers::ItemTimeoutError\n2\n[0, 1]\ntrue\nleft in order\n"
      assert_equal said, ruby!(REFUSE + <<~RUBY, backend)
        def (Ratomic::Workers::OwnThread).refused?(name) = name == "ratomic-coordinator"
        pool.dispatch_async([1], Die).value
        module Sleep
          def self.call(seconds) = sleep(seconds)
        end
        busy = pool.dispatch_async([60], Sleep, item_timeout: 0.5)
        Thread.pass until pool.stats[:running].any?
        REFUSED.increment
        Thread.list.find { |thread| thread.name == "ratomic-coordinator" }.kill
        puts busy.value(timeout: 60).map(&:exception_class)
        p pool.dispatch_async([:die, 1], Die).value(timeout: 60)[1]
        p [REFUSED.value, pool.stats[:troubles][:count]]
        p pool.shutdown(timeout: 60)
      RUBY
    end
  end

  private

  def backends
    Ratomic::RACTORS ? %w[thread ractor] : %w[thread]
  end
end
