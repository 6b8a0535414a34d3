# frozen_string_literal: true

module Ratomic
  module Workers
    # One inbox that one thread reads and everyone can send to, in two kinds with the same three methods: a
    # `Ractor::Port` between Ractors, and a native queue between threads of one.
    #
    # Only the Ractor that made a port can receive from it. A blocked receive must never be interrupted: it is woken by
    # a message.
    #
    # A closed mailbox is not drained. With a development version of Ruby 4.1, processes crashed in which a message was
    # under way to a port that nobody had any more. The price: the VM keeps the messages that are left in a closed port
    # as long as the Ractor lives, some hundred bytes for about every sixth pool.
    module Mailbox
      # Errors of a send to a mailbox that was closed.
      CLOSED = [Ractor::ClosedError, ::ClosedQueueError].freeze

      # @return [Ractor::Port, QueueMailbox]
      def self.open
        RACTORS ? Ractor::Port.new : QueueMailbox.new
      end

      # The mailbox of threads that hear only from threads of their own Ractor, and of Rubies without `Ractor::Port`.
      class QueueMailbox
        CAPACITY = 2**16

        def initialize
          @queue = Queue.new(CAPACITY)
          freeze
        end

        # A shareable message goes through the native queue. Any other is kept beside the queue, and a reference to it
        # goes through the queue. `move:` makes no difference: the reader is a thread of the same Ractor.
        def send(message, move: false) # rubocop:disable Lint/UnusedMethodArgument
          sent = Ractor.shareable?(message) ? message : RactorLocalRefs.keep(message)
          @queue.push(sent)
          self
        rescue ::ClosedQueueError
          RactorLocalRefs.take(sent) unless sent.equal?(message)
          raise
        end

        def receive
          message = @queue.pop
          message.is_a?(RactorLocalRefs::Ref) ? RactorLocalRefs.take(message) : message
        end

        def close
          @queue.close
        end
      end
    end
  end
end
