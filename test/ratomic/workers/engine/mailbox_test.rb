# frozen_string_literal: true

require "test_helper"
require "objspace"
require "support/interruption"

class MailboxTest < Minitest::Test
  include Interruption

  Workers = Ratomic::Workers

  # Both kinds, whatever this Ruby uses.
  def each_kind
    yield Workers::Mailbox.open
    yield Workers::Mailbox::QueueMailbox.new
  end

  def test_messages_come_in_order
    each_kind do |mailbox|
      mailbox.send([:one, 1].freeze)
      mailbox.send([:two, [+"mutable"]])
      mailbox.send([+"moved"], move: true)
      assert_equal [[:one, 1], [:two, ["mutable"]], ["moved"]], within(5) { Array.new(3) { mailbox.receive } }
    end
    assert_equal 0, refs_kept
  end

  def test_a_closed_one_raises_what_is_expected
    each_kind do |mailbox|
      mailbox.close
      [:late, [+"mutable"]].each { |late| assert_raises(*Workers::Mailbox::CLOSED) { mailbox.send(late) } }
    end
    assert_equal 0, refs_kept
  end

  def test_what_is_left_in_one_that_is_closed_is_not_kept_for_good
    each_kind do |mailbox|
      mailbox.send([[+"left"]].freeze)
      mailbox.send([+"moved"], move: true)
      within(5) { assert_nil Workers::Mailbox.close(mailbox) }
    end
    assert_equal 0, refs_kept
  end

  def test_a_message_whose_sender_is_interrupted_is_sent_or_not_kept
    mailbox = Workers::Mailbox::QueueMailbox.new
    %i[raise kill].each do |way|
      ended = interrupt_everywhere(way, -> { mailbox.send([+"mutable"]) }) do |point|
        mailbox.drain
        assert_equal 0, refs_kept, point
      end
      assert_operator ended, :>, 3
    end
  end

  def test_a_sender_that_is_killed_while_it_waits_for_room_leaves_nothing
    mailbox = Workers::Mailbox::QueueMailbox.new
    Workers::Mailbox::QueueMailbox::CAPACITY.times { mailbox.send(:before) }
    sender = Thread.new { mailbox.send([+"mutable"]) }
    until_asleep(sender)
    within(5) { sender.kill.join }
    assert_equal 0, refs_kept
  end

  def test_its_reader_does_not_wait_for_room_when_it_sends
    mailbox = Workers::Mailbox::QueueMailbox.new
    size = Workers::Mailbox::QueueMailbox::CAPACITY
    size.times { mailbox.send(:before) }
    late = []
    received = within(30) do
      Workers::Mailbox.read_here(mailbox, late)
      mailbox.send(:first)
      mailbox.send([+"second"])
      Array.new(size + 2) { mailbox.receive }
    end
    assert_equal [:first, ["second"]], received.last(2)
    assert_equal [:before], received.uniq - received.last(2)
    assert_empty late
    assert_equal 0, refs_kept
  end

  def test_what_its_reader_has_sent_to_a_full_one_goes_when_it_is_closed
    mailbox = Workers::Mailbox::QueueMailbox.new
    Workers::Mailbox::QueueMailbox::CAPACITY.times { mailbox.send(:before) }
    late = []
    within(30) do
      Workers::Mailbox.read_here(mailbox, late)
      mailbox.send([+"mutable"])
      Workers::Mailbox.close(mailbox)
    end
    assert_empty late
    assert_equal 0, refs_kept
  end

  # Where a port would stay in its Ractor with what is in it.
  def test_nothing_is_left_in_a_port_that_is_closed
    needs_drained_ports
    port = Workers::Mailbox.open
    port.send([:one, 1].freeze)
    port.send([+"moved"], move: true)
    within(5) { Workers::Mailbox.close(port) }
    assert_raises(Ractor::ClosedError) { within(5) { port.receive } }
  end

  def test_a_worker_is_asked_whether_it_lives_without_leaving_a_port_behind
    needs_drained_ports
    ended = Ractor.new { nil }.tap(&:join)
    first = ports
    200.times { refute Workers::Backend.of(:ractor).alive?(ended) }
    assert_operator ports - first, :<, 100
  end

  def test_a_pool_that_has_ended_leaves_no_port_behind
    needs_drained_ports
    make = -> { within(30) { Workers::Pool.new(size: 1, min_batch: 0).start.shutdown } }
    make.call
    first = ports
    50.times { make.call }
    assert_operator ports - first, :<, 25
  end

  def test_a_worker_that_is_a_thread_needs_no_port
    assert_instance_of Workers::Mailbox::QueueMailbox, Workers::Backend.of(:thread).new_mailbox
    assert_instance_of Ractor::Port, Workers::Backend.of(:ractor).new_mailbox if Ratomic::RACTORS
  end

  # As with tens of thousands of dispatches, on a Ruby without ports: the coordinator ends all of them at one tick.
  def test_a_coordinator_never_waits_for_room_in_its_own_mailbox
    assert_equal "40 true", ruby!(IN_SMALL_MAILBOX + <<~RUBY)
      futures = Array.new(40) { POOL.dispatch_async([1], Wait, timeout: 1, min_batch: 0) }
      POOL.shutdown(timeout: 0)
      expired = futures.count { |future| future.value[0].message.start_with?("no result 1 s after the dispatch") }
      GATE.push(true)
      print expired, " ", POOL.shutdown
    RUBY
  end

  def test_nobody_waits_for_room_in_the_mailbox_of_a_coordinator_that_cannot_be_replaced
    assert_equal "ended", ruby!(IN_SMALL_MAILBOX + <<~RUBY)
      coordinator = Thread.list.find { |thread| thread.name == "ratomic-coordinator" }
      ThreadGroup::Default.freeze # Ruby makes no thread in it any more
      coordinator.kill
      Thread.pass until POOL.stats[:troubles][:last].any? { |error, _| error.include?("frozen ThreadGroup") }
      20.times { POOL.shutdown(timeout: 0) }
      print "ended"
      $stdout.flush
      Process.exit!(true)
    RUBY
  end

  def test_a_forked_child_waits_for_no_room_in_the_mailbox_of_its_parent
    skip_without_fork
    skip_on_development_ruby("a forked child that collects can crash")
    assert_equal "40 true", ruby!(IN_SMALL_MAILBOX + <<~RUBY)
      futures = Array.new(40) { POOL.dispatch_async([1], Wait, min_batch: 0) }
      $stdout.sync = true
      child = fork do
        print futures.count { |future| future.value[0].message == #{Workers::PoolFailures::FORKED.message.inspect} }
        exit!(true)
      end
      Process.wait(child)
      GATE.close
      print " ", POOL.shutdown
    RUBY
  end

  # A pool with one worker, which waits in its first item.
  IN_SMALL_MAILBOX = <<~RUBY
    require "ratomic"
    Mailbox = Ratomic::Workers.const_get(:Mailbox)
    Mailbox::QueueMailbox.send(:remove_const, :CAPACITY)
    Mailbox::QueueMailbox.const_set(:CAPACITY, 8)
    def Mailbox.open = Mailbox::QueueMailbox.new
    GATE = Ratomic::Queue.new(1)
    module Wait
      def self.call(_) = GATE.pop
    end
    POOL = Ratomic::Workers::Pool.new(size: 1, backend: :thread, max_queue: 64)
    POOL.dispatch_async([1], Wait, min_batch: 0)
    Thread.pass until POOL.stats[:running].any?
  RUBY
  private_constant :IN_SMALL_MAILBOX

  private

  def needs_drained_ports
    skip_without_ractors
    skip "this Ruby deletes ports in collections" if Ratomic::HEAP_PER_RACTOR
  end

  # How many ports the VM keeps for this Ractor, besides a number that does not change.
  def ports
    ObjectSpace.memsize_of(Ractor.current)
  end
end
