# frozen_string_literal: true

module Ratomic
  module Workers
    # What a pool has learnt, by callable. A program may make its callables anew for each dispatch, so there is an end
    # to what is kept: of two pages, when one is full the other is emptied and written on. What is looked up is
    # copied to the page that is written on, so that only what nobody asked for is forgotten. It is learnt again.
    class BoundedCache
      # So many keys are kept at most, and the last half as many surely.
      MAX_KEYS = 1024

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

      def delete(key)
        @pages.each { |page| page.delete(key) }
      end

      # @return [Hash]
      def to_h
        page = @turns.value & 1
        @pages[1 - page].to_h.merge(@pages[page].to_h)
      end

      private

      # Of two threads that turn it at once, both may: then a little more is forgotten.
      # @return [Map] the page to be written on
      def turn(full)
        following = @pages[full.equal?(@pages[0]) ? 1 : 0]
        following.clear
        @turns.increment
        following
      end
    end
  end
end
