# frozen_string_literal: true

# Mailboxes that a test makes for itself, closed at its end. Nobody may receive what is sent to them. On development
# versions of Ruby 4.1 a message crashes the process that is delivered to a port which was collected and not closed.
module Mailboxes
  # As a port of Ruby 4.0, which takes no timeout.
  class UntimedMailbox
    def initialize = @mailbox = Ratomic::Workers::Mailbox::QueueMailbox.new
    def send(message) = @mailbox.send(message)
    def receive = @mailbox.receive
    def close = @mailbox.close
  end

  # @return [Ractor::Port, Ratomic::Workers::Mailbox::QueueMailbox]
  def open_mailbox
    Ratomic::Workers::Mailbox.open.tap { |mailbox| (@mailboxes ||= []) << mailbox }
  end

  # Runs the block, in which no coordinator gets a thread for its timer.
  def without_timers(error = ThreadError)
    timers = Ratomic::Workers.const_get(:TimerThread).singleton_class
    timers.define_method(:new) { |_mailbox| raise error, "can't create Thread: Resource temporarily unavailable" }
    yield
  ensure
    timers.remove_method(:new)
  end

  def after_teardown
    @mailboxes&.each(&:close)
    super
  end
end
