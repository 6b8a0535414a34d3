# frozen_string_literal: true

module Ratomic
  module Workers
    # Whose `exit` it was that came out of an item which its caller ran: the item's own, which becomes a Failure, or
    # that of a `trap` handler, which is to end the program. Ruby runs handlers in the midst of whatever the main thread
    # does, and an exception does not tell which of the two raised it.
    #
    # So the item runs once more, in a thread of its own, where no handler ever runs. That ends the program, or it is
    # the second and last time for an item that exits: its callable is not run by callers again.
    module OwnExit
      # Seconds after which the program ends whatever the item may do.
      PATIENCE = 1

      class << self
        # @param item [Object] that has run, and ended with a SystemExit
        # @param callable [#call] admitted
        # @return [Boolean] whether the item exits
        def of?(engine, item, callable)
          engine.costs.mark_wild(Callable.key(callable))
          !Foreign.handlers_run_here? || exits?(item, callable)
        end

        private

        def exits?(item, callable)
          context = Context.current
          trial = Nested.thread { Context.with(context) { end_of(item, callable) } }
          !trial.join(PATIENCE).nil? && trial.value == :exit
        ensure
          trial&.kill
        end

        def end_of(item, callable)
          callable.call(item)
        rescue SystemExit
          :exit
        end
      end
    end
  end
end
