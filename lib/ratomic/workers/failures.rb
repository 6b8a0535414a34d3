# frozen_string_literal: true

require_relative "failure"

module Ratomic
  module Workers # rubocop:disable Style/Documentation -- it is described where it begins
    # Finds the {Failure}s among results, natively, because results are many and Failures are few.
    module Failures
      # Gives each Failure without an index that of its item: the callable has returned it. (A Failure with an index,
      # perhaps from another dispatch, keeps it.)
      # @param results [Array]
      # @param first [Integer] the index of the first
      # @return [Array] `results` itself if there are no Failures, else a new one
      def self.number(results, first)
        return results unless any?(results)

        results.each_with_index.map do |result, offset|
          Failure === result && result.index.nil? ? result.at(first + offset) : result
        end
      end
    end
    private_constant :Failures
    Failures.install(Failure)
  end
end
