# frozen_string_literal: true

require_relative "then_guard"

module Ratomic
  module Workers
    # Methods of a {Future} for the items that have failed.
    module Failing
      include ThenGuard

      # The Failures among the results, each with the `index` of its item. Blocks as {Future#value}.
      # @param timeout [Numeric, nil] as for {Future#value}
      # @return [Array<Failure>] frozen; empty where every item went well
      # @raise [WaitTimeoutError]
      def failures(timeout: nil)
        Ractor.make_shareable(value(timeout: timeout).grep(Failure))
      end

      # Does not wait: while items are without a result, false only says that none has failed so far.
      # @return [Boolean] whether there is a {Failure} by now
      def failed?
        size.times.any? { |index| Failure === @completion[index] }
      end
    end
  end
end
