# frozen_string_literal: true

module Ratomic
  module Workers
    # The last Failures of each class, with what they belong to. Written only when an item fails: two writes to a Map
    # beside the making of a Failure, which takes ten times as long.
    class LastFailures
      # So many of each class are kept (a power of two), of so many classes.
      MAX_PER_CLASS = 4
      MAX_CLASSES = 64

      def initialize
        @pages = Array.new(MAX_PER_CLASS) { Map.new }.freeze
        freeze
      end

      # @param name [String] of the class
      # @param number [Integer] how many of the class there were with this one
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
