# frozen_string_literal: true

module Ratomic
  module Workers
    # Takes the place of `Kernel#then`, which would call the block at once, with a future that has no results yet.
    module ThenGuard
      # @raise [NoMethodError] always: it says what to use
      def then
        raise NoMethodError, "a #{self.class} has no `then`: call `value` or, where there is one, `each_completed`, " \
                             "in a thread of its own if nobody is to wait (Thread.new { future.value }); to hand " \
                             "results on to another callable make one of both with Ratomic::Workers.pipeline"
      end
    end
  end
end
