# frozen_string_literal: true

module Ratomic
  class LocalPool
    # An ObjectSpace::WeakKeyMap for Rubies before 3.3: an entry is removed after its key has been collected. That
    # happens in {#tidy}, and when an entry is added.
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
