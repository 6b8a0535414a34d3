# frozen_string_literal: true

# Mailboxes that a test makes for itself, closed at its end. Nobody may receive what is sent to them. On development
# versions of Ruby 4.1 a message crashes the process that is delivered to a port which was collected and not closed.
module Mailboxes
  # @return [Ractor::Port, Ratomic::Workers::Mailbox::QueueMailbox]
  def open_mailbox
    Ratomic::Workers::Mailbox.open.tap { |mailbox| (@mailboxes ||= []) << mailbox }
  end

  def after_teardown
    @mailboxes&.each(&:close)
    super
  end
end
