# frozen_string_literal: true

module Ratomic
  module Workers
    # The last Failures of each class of exception, with their dispatches. A failed item costs one more write to a Map.
    # (To make its Failure takes ten times as long.)
    class LastFailures
      # MAX_PER_CLASS is a power of two: the number of a Failure chooses its page by a bit mask.
      MAX_PER_CLASS = 4
      MAX_CLASSES = 64

      def initialize
        @pages = Array.new(MAX_PER_CLASS) { Map.new }.freeze
        freeze
      end

      # @param name [String] of the class
      # @param number [Integer] the count of Failures of that class, with this one
      # @param note [Hash] frozen and shareable
      def keep(name, number, note)
        page = @pages[number & (MAX_PER_CLASS - 1)]
        page[name] = note if page.key?(name) || page.size < MAX_CLASSES
      end

      # @return [Hash{String => Array<Hash>}] the newest first
      def to_h
        found = Hash.new { |hash, name| hash[name] = [] }
        @pages.each { |page| page.each_pair { |name, note| found[name] << note } }
        found.transform_values { |notes| notes.sort_by { |note| -note[:time] } }
      end
    end
  end
end
