# frozen_string_literal: true

# Every error of ratomic, sorted by what the reader can do about it.
module Ratomic
  # The base class: `rescue Ratomic::Error` catches what ratomic itself has to say, and nothing of what a block raises.
  Error = Class.new(StandardError)

  # The time that was given is up. Wait longer, try again later, or make the pool larger.
  TimeoutError = Class.new(Error)

  # The object was closed. Make a new one.
  ClosedError = Class.new(Error)

  # Something was given back that was not lent. Mend the calling code.
  OwnershipError = Class.new(Error)

  # A signal handler asked for what it cannot have there. Do it in a thread, or after the handler.
  TrapError = Class.new(Error)

  # The object cannot be shared between Ractors. The message names it, and says how to mend it.
  ShareableError = Class.new(Error)

  module Workers
    # The base class of what a worker pool has to say.
    Error = Class.new(Ratomic::Error)

    # The results are not all there yet. The future stays good: wait again.
    class TimeoutError < Error
      # @return [Integer] items that are done
      attr_reader :completed
      # @return [Integer] items of the dispatch
      attr_reader :total

      def initialize(message = nil, completed: 0, total: 0)
        @completed = completed
        @total = total
        super(message || "#{completed} of #{total} items are done")
      end
    end

    # The pool has as much queued as it may. Dispatch later, or allow more with `max_queue:`.
    QueueFullError = Class.new(Error)

    # The pool was shut down. Dispatch to another one.
    ShutdownError = Class.new(Error)

    # The dispatch was cancelled.
    CancelledError = Class.new(Error)

    # The callable cannot run in a worker. The message names the object in the way, and says how to mend it.
    class CallableError < Error
      # @return [String, nil] where the object in the way is, such as `@handler.@io`
      attr_reader :path

      def initialize(message = nil, path: nil)
        @path = path
        super(message)
      end
    end

    # An item failed; raised by `value!`.
    class ItemError < Error
      # @return [Failure] which item, and why
      attr_reader :failure

      def initialize(failure)
        @failure = failure
        super(failure.to_s)
        set_backtrace(failure.backtrace) if failure.backtrace
      end
    end
  end
end
