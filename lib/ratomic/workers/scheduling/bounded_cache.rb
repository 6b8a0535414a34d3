# frozen_string_literal: true

module Ratomic
  module Workers
    # A cache of limited size for what a pool has learnt of its callables. (A program may make a new callable for each
    # dispatch.) It has two pages. When the current page is full, the other page is emptied and becomes the current one.
    # A key that is found on the other page is copied to the current one, so only keys that nobody asked for are lost.
    # What is lost is learnt again.
    class BoundedCache
      # Keys that are kept at most. The last half as many are always there.
      MAX_KEYS = 1024
      # Weight of a new sample in a moving average.
      SAMPLE_WEIGHT = 0.25

      def initialize
        @pages = [Map.new, Map.new].freeze
        @turns = Counter.new
        freeze
      end

      def [](key)
        page = @turns.value & 1
        note = @pages[page][key]
        return note unless note.nil?

        note = @pages[1 - page][key]
        self[key] = note unless note.nil?
        note
      end

      def []=(key, note)
        page = @pages[@turns.value & 1]
        page = turn(page) if page.size >= MAX_KEYS / 2 && page[key].nil?
        page[key] = note
      end

      # Keeps an exponentially weighted moving average. Of two samples at the same time one may be lost, which does not
      # matter for an average.
      # @param sample [Float]
      # @return [Float] the average with the sample in it
      def average(key, sample)
        known = self[key]
        self[key] = known ? known + ((sample - known) * SAMPLE_WEIGHT) : sample
      end

      def delete(key)
        @pages.each { |page| page.delete(key) }
      end

      # @return [Hash]
      def to_h
        page = @turns.value & 1
        @pages[1 - page].to_h.merge(@pages[page].to_h)
      end

      private

      # Two threads may turn the page at the same time: then a few more keys are lost.
      # @return [Map] the current page
      def turn(full)
        following = @pages[full.equal?(@pages[0]) ? 1 : 0]
        following.clear
        @turns.increment
        following
      end
    end
  end
end
