# frozen_string_literal: true

module Ratomic
  module Workers
    # The last Failures of each class, with the dispatch that they belong to. Written when an item fails: two writes to
    # a Map. (To make a Failure takes ten times as long.)
    class LastFailures
      # How many are kept of each class (a power of two), and of how many classes.
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
