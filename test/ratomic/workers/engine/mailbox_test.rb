# frozen_string_literal: true

require "test_helper"

class MailboxTest < Minitest::Test
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
    assert_equal 0, Workers::RactorLocalRefs.size
  end

  def test_a_closed_one_raises_what_is_expected
    each_kind do |mailbox|
      mailbox.close
      [:late, [+"mutable"]].each { |late| assert_raises(*Workers::Mailbox::CLOSED) { mailbox.send(late) } }
    end
    assert_equal 0, Workers::RactorLocalRefs.size
  end

  def test_a_worker_that_is_a_thread_needs_no_port
    assert_instance_of Workers::Mailbox::QueueMailbox, Workers::Backend.of(:thread).new_mailbox
    assert_instance_of Ractor::Port, Workers::Backend.of(:ractor).new_mailbox if Ratomic::RACTORS
  end
end
