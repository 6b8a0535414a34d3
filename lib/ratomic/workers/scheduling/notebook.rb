# frozen_string_literal: true

module Ratomic
  module Workers
    # What a pool has learnt, by callable. A full one begins anew, because a program may make its callables anew for
    # each dispatch, with classes of their own, and nothing tells which will come again. What was forgotten is learnt
    # again.
    class Notebook
      # So many keys are kept.
      MOST = 1024

      def initialize
        @notes = Map.new
        freeze
      end

      def [](key)
        @notes[key]
      end

      def []=(key, note)
        @notes.clear if @notes[key].nil? && @notes.size >= MOST
        @notes[key] = note
      end

      def delete(key)
        @notes.delete(key)
      end

      # @return [Hash]
      def to_h
        @notes.to_h
      end
    end
  end
end
