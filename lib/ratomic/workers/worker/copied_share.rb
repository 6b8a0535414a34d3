# frozen_string_literal: true

require_relative "share"

module Ratomic
  module Workers
    # A {Share} of which every run comes home as a copy, at once: of who runs items in a Ractor that is not the caller's
    # and does not end.
    class CopiedShare < Share
      # @param runs [Hash{Integer => Array}] whose Failures are left out, they are filed as they are
      # @return [String, nil] frozen; nil when it cannot be copied
      def self.dump(runs)
        Marshal.dump(runs.transform_values { |run| run.map { |result| result unless Failure === result } }).freeze
      rescue UserException
        nil
      end

      # @see Share#keep
      def keep(first, results)
        copy = CopiedShare.dump({ first => results })
        unless copy
          return Ractor.make_shareable(results.each_with_index.map { |result, place| one(result, first + place) })
        end

        @home = OwnedResults.new(copy)
        tokens(results)
      end

      # @see Share#keep_again
      def keep_again(first, results)
        keep(first, results)
      end

      private

      def one(result, index)
        return result if Failure === result || OwnedResults === result

        copy = CopiedShare.dump({ index => [result] })
        copy ? OwnedResults.new(copy) : PoolFailures.not_copied(result, index)
      end
    end
  end
end
