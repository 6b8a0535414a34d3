# frozen_string_literal: true

module Ratomic
  module Workers
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

    # The class of maps whose entries end with their keys: Ruby's own, if this Ruby has it.
    WEAK_KEYS = ObjectSpace.const_defined?(:WeakKeyMap) ? ObjectSpace::WeakKeyMap : WeakKeys
  end
end
