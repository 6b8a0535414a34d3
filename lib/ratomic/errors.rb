# frozen_string_literal: true

# Every error of ratomic, sorted by what the reader can do about it.
module Ratomic
  # The base class: `rescue Ratomic::Error` catches the errors that ratomic itself raises, and no error of a block.
  Error = Class.new(StandardError)

  # The time that was given is up. Wait longer, try again later, or make the pool larger.
  TimeoutError = Class.new(Error)

  # The object was closed. Make a new one.
  ClosedError = Class.new(Error)

  # Something was given back that was not lent. Fix the calling code.
  OwnershipError = Class.new(Error)

  # A signal handler called a method that does not work there. Call it in a thread, or after the handler.
  TrapError = Class.new(Error)

  # The object cannot be shared between Ractors. The message names it, and says what to do.
  ShareableError = Class.new(Error)

  module Workers
    # All errors of worker pools: `rescue Ratomic::Workers::Error` catches them. It is a module, because some of them
    # are a {Ratomic::TimeoutError} too.
    module Error
    end

    # The time is up: of a wait, of a dispatch or of an item. `rescue Ratomic::TimeoutError` catches these too.
    class TimeoutError < Ratomic::TimeoutError
      include Error
    end

    # The time of a wait (`value(timeout:)`): the results are not all there yet. Wait again.
    class WaitTimeoutError < TimeoutError
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

    # The time of a dispatch (`dispatch_async(..., timeout:)`) was up: items without a result have a {Failure} of this
    # class.
    DispatchTimeoutError = Class.new(TimeoutError)

    # The pool has as much queued as it may. Dispatch later, or allow more with `max_queue:`.
    class QueueFullError < Ratomic::Error
      include Error
    end

    # The pool was shut down. Dispatch to another one.
    class ShutdownError < Ratomic::Error
      include Error
    end

    # The item has ended its worker process (`backend: :process`): a {Failure} of this class says how, a signal or a
    # status.
    class WorkerDiedError < Ratomic::Error
      include Error
    end

    # The dispatch was cancelled.
    class CancelledError < Ratomic::Error
      include Error
    end

    # The callable cannot run in a worker. The message names the object in the way, and says what to do.
    class CallableError < Ratomic::Error
      include Error

      # @return [String, nil] where the object in the way is, such as `@handler.@io`
      attr_reader :path

      def initialize(message = nil, path: nil)
        @path = path
        super(message)
      end
    end

    # The factory of a {PerWorker} raised, or made an object without the method. The message names it. The next item
    # calls the factory again.
    class FactoryError < Ratomic::Error
      include Error
    end

    # The owned results (`results: :owned`) cannot be taken. They are handed over once. Another call, thread or Ractor
    # has taken them, or they are in the parent of this forked process, or in another Ractor.
    class TakenError < Ratomic::OwnershipError
      include Error
    end

    # Errors that `value!` raises for a {Failure}.
    module OfItem
      # @return [Failure] which item, and why
      attr_reader :failure

      def initialize(failure)
        @failure = failure
        super(failure.to_s)
        set_backtrace(failure.backtrace) if failure.backtrace
      end
    end
    private_constant :OfItem

    # An item failed; raised by `value!`.
    class ItemError < Ratomic::Error
      include Error
      include OfItem
    end

    # The time of an item (`item_timeout:`): it was interrupted, and has a {Failure} of this class. Raised by `value!`.
    class ItemTimeoutError < TimeoutError
      include OfItem
    end
  end
end
