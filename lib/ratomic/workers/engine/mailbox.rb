# frozen_string_literal: true

module Ratomic
  module Workers
    # One inbox that one thread reads and everyone can send to, of two kinds: a `Ractor::Port` between Ractors, and a
    # native queue between threads of one. Both have `send`, `receive` and `close`. Only the queue can be full, and has
    # `try_send` for that; a port takes `receive(timeout:)` from Ruby 4.1 on.
    #
    # Only the Ractor that made a port can receive from it. A blocked receive must never be interrupted: it is woken by
    # a message.
    #
    # A port that is closed while messages are in it stays in the table of its Ractor, with the messages, for as long as
    # the Ractor lives: Ruby 4.0 deletes it only when the last of them is received. So it is drained, see {.drain}.
    module Mailbox
      # Errors of a send to a mailbox that was closed.
      CLOSED = [Ractor::ClosedError, ::ClosedQueueError].freeze

      # @return [Ractor::Port, QueueMailbox]
      def self.open
        RACTORS ? Ractor::Port.new : QueueMailbox.new
      end

      # Closes a mailbox and drops what is left in it. To be called by the Ractor that has made it.
      # @param mailbox [Ractor::Port, QueueMailbox]
      # @return [nil]
      def self.close(mailbox)
        mailbox.close
        drain(mailbox)
        nil
      end

      # Drops what is left in a closed mailbox. It receives until the mailbox is empty. This never waits: a closed port
      # raises when nothing is left. To be called by the Ractor that has made it, when nobody else receives.
      #
      # Since Ruby 4.1 a collection of the whole process deletes ports that nobody refers to. There nothing is drained:
      # with a development version, processes crashed in which a message was under way to a port that was deleted so.
      # @param mailbox [Ractor::Port, QueueMailbox]
      # @return [void]
      def self.drain(mailbox)
        return mailbox.drain if QueueMailbox === mailbox

        loop { mailbox.receive } if DRAINED # Ractor::ClosedError is a StopIteration
      end

      # A thread that reads a mailbox, and also sends to it, says so: it must not wait for room that only it can make.
      # What it sends to a full queue is put in as soon as it has taken something out.
      # @param mailbox [Ractor::Port, QueueMailbox]
      # @param late [Array] for what finds no room; a thread that takes the reader's place gets the same
      def self.read_here(mailbox, late)
        Thread.current.thread_variable_set(READER, [mailbox, late].freeze) if QueueMailbox === mailbox
      end

      DRAINED = RACTORS && !HEAP_PER_RACTOR
      READER = :ratomic_mailbox_reader
      private_constant :DRAINED, :READER

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
          Ractor.shareable?(message) ? put(message) : send_ref(message)
          self
        end

        # For the reader itself, which must not wait for room that only it can make.
        # @param message [Object] shareable
        # @return [Boolean] false if there is no room
        def try_send(message)
          @queue.try_push(message)
        end

        # @param timeout [Numeric, nil] seconds
        # @return [Object, nil] nil when they are over
        def receive(timeout: nil)
          message = @queue.pop(timeout: timeout)
          put_late
          message.is_a?(RactorLocalRefs::Ref) ? RactorLocalRefs.take(message) : message
        end

        def close
          @queue.close
        end

        # Lets go of what is left, also of what is kept beside the queue.
        def drain
          receive until @queue.empty?
        end

        private

        def put(message)
          @queue.try_push(message) || late&.push(message) || @queue.push(message)
        end

        # An interrupt may end the wait for room, and nothing else: what is kept is sent, or let go of.
        def send_ref(message)
          Interrupts.deferred do
            ref = RactorLocalRefs.keep(message)
            sent = Interrupts.on_blocking { put(ref) }
          ensure
            RactorLocalRefs.take(ref) if ref && !sent
          end
        end

        # @return [Array, nil] if the calling thread is the reader
        def late
          mailbox, late = Thread.current.thread_variable_get(READER)
          late if mailbox.equal?(self)
        end

        def put_late
          waiting = late
          waiting.shift while waiting&.any? && @queue.try_push(waiting.first)
        rescue ::ClosedQueueError
          waiting.each { |sent| RactorLocalRefs.take(sent) if RactorLocalRefs::Ref === sent }.clear
        end
      end
    end
  end
end
