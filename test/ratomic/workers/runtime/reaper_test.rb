# frozen_string_literal: true

require "test_helper"

class ReaperTest < Minitest::Test
  Reaper = Ratomic::Workers::Reaper
  OwnThread = Ratomic::Workers::OwnThread

  def test_threads_that_end_in_a_workers_ractor_are_joined_by_its_main_thread
    skip_without_ractors
    messages, alive = within(10) do
      in_ractor do
        mailbox = Ratomic::Workers::Mailbox.open
        reaper = Reaper.enter(mailbox)
        threads = [-> { 1 }, -> { raise NotImplementedError }, -> { Thread.exit }].map { |way| OwnThread.start(&way) }
        told = threads.map { mailbox.receive }
        reaper.join
        [told, threads.map(&:alive?)]
      end
    end
    assert_equal [[:join]] * 3, messages
    assert_equal [false] * 3, alive
  end

  def test_a_thread_that_ends_after_its_worker_is_joined_by_nobody
    skip_without_ractors
    value = within(10) do
      in_ractor do
        mailbox = Ratomic::Workers::Mailbox.open
        Reaper.enter(mailbox)
        mailbox.close
        OwnThread.start { 1 }.join.alive?
      end
    end
    refute value
  end

  def test_ractors_that_are_no_workers_have_no_reaper
    assert_nil Reaper.here
    assert_equal [], (in_ractor { [*Reaper.here] }) if Ratomic::RACTORS
  end
end
