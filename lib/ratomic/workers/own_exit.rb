# frozen_string_literal: true

module Ratomic
  module Workers
    # Whose `exit` it was that came out of an item which its caller ran: the item's own, which becomes a Failure, or
    # that of a `trap` handler, which is to end the program. Ruby runs handlers in the midst of whatever the main thread
    # does, and an exception does not tell which of the two raised it.
    #
    # So a worker runs the item once more, where no handler ever runs. That ends the program, or it is the second and
    # last time for an item that exits: its callable is not run by callers again.
    module OwnExit
      # Without a word from a worker in a second the program ends.
      ASKING = Options.new({ min_batch: 0, timeout: 1, on_full: :raise })

      # @param item [Object] that has run, and ended with a SystemExit
      # @param callable [#call] admitted
      # @return [Boolean] whether the item exits
      def self.of?(engine, item, callable)
        engine.costs.mark_wild(Callable.key(callable))
        return true unless handlers_run_here?

        asking = ASKING.with({ context: Context.current })
        result = Dispatch.future(engine, [item].freeze, callable, asking).value[0]
        Failure === result && result.exception_class == SystemExit.name
      rescue Workers::Error # the pool has ended, or its queue is full
        false
      end

      def self.handlers_run_here?
        Thread.current.equal?(Thread.main) && (!RACTORS || ::Ractor.main?)
      end
      private_class_method :handlers_run_here?
    end
  end
end
