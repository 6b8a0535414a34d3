# frozen_string_literal: true

module Ratomic
  module Workers
    # Replaces `Kernel#then` in futures, which would call the block at once, before there are results.
    module ThenGuard
      # @raise [NoMethodError] always: it says what to use
      def then
        raise NoMethodError, "a #{self.class} has no `then`: call `value` or, where there is one, `each_completed`, " \
                             "in a new thread if the caller must not wait (Thread.new { future.value }); to hand " \
                             "results on to another callable make one of both with Ratomic::Workers.pipeline"
      end
    end
  end
end
