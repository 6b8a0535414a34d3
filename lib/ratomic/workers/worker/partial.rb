# frozen_string_literal: true

module Ratomic
  module Workers
    # The partial sum of some items that one worker has folded. It is the result of the first of these items; the others
    # have no result, see {Fold}.
    class Partial
      # @return [Object] the sum of the results
      attr_reader :sum
      # @return [Integer] how many results are in it
      attr_reader :count
      # @return [Hash{String => Integer}] Failures that were too many to be kept, by the class of the exception
      attr_reader :omitted

      def initialize(sum, count, omitted)
        @sum = sum
        @count = count
        @omitted = omitted
        freeze # the sum is not frozen here; it is sealed like any result
      end
    end
    private_constant :Partial
  end
end
