# frozen_string_literal: true

require_relative "share"

module Ratomic
  module Workers
    # A {Share} whose results are copied to the caller at once, chunk by chunk. It is for a thread in another Ractor
    # than the caller's that does not end after the chunk.
    class CopiedShare < Share
      # @param runs [Hash{Integer => Array}] their Failures are not copied; they are filed as they are
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
        filed_for(results)
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
