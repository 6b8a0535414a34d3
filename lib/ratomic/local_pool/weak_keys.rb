# frozen_string_literal: true

module Ratomic
  class LocalPool
    # What ObjectSpace::WeakKeyMap is, for Rubies before 3.3: an entry goes when nothing refers to its key any more.
    # It does not notice by itself: {#tidy} makes it look, and a new entry does.
    class WeakKeys
      def initialize
        @values = ObjectSpace::WeakMap.new # key => value
        @keys = ObjectSpace::WeakMap.new # value => key
        @kept = {}.compare_by_identity
      end

      # @return [Object, nil]
      def [](key)
        @values[key]
      end

      def []=(key, value)
        tidy
        @kept[value] = true
        @keys[value] = key
        @values[key] = value
      end

      # @return [nil]
      def tidy
        @kept.select! { |value, _| @keys.key?(value) }
        nil
      end
    end
  end
end
