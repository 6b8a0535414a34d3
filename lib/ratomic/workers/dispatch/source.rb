# frozen_string_literal: true

module Ratomic
  module Workers
    # What dispatches and streams take their items from: an Array, an Enumerable, anything with `each`. That something
    # has a `to_a` does not make it one: nil, a Time and a MatchData have that too. Neither do the fields of a Struct,
    # unless it has an `each` of its own.
    module Source
      # @param items [Array, Enumerable, #each]
      # @return [Array]
      # @raise [TypeError]
      def self.list(items)
        return items if Array === items

        check(items, "items")
        return items.to_a if Reflection.responds?(items, :to_a) && !(::Struct === items)

        list = []
        each(items) { |item| list << item }
        list
      end

      # Calls the block with what `to_a` has for each step of the source: an Array, where it yields several values.
      # @param source [#each]
      # @yieldparam item [Object]
      def self.each(source, &block)
        return source.each(&block) if source.instance_of?(Array) # each of its steps has one value

        source.each { |*values| yield(values.size > 1 ? values : values[0]) }
      end

      # @param source [Object]
      # @param name [String] of the argument
      # @return [void]
      # @raise [TypeError] which names its class
      def self.check(source, name)
        return if Array === source || each?(source)

        kind = Reflection.class_of(source)
        hint = " (for its fields pass `to_a`)" if ::Struct === source
        raise TypeError, "#{name} must be an Array, an Enumerable or anything with `each`, not #{kind}#{hint}"
      end

      def self.each?(source)
        return false unless Reflection.responds?(source, :each)

        !(::Struct === source) || Reflection.method_of(source, :each).owner != ::Struct
      end
      private_class_method :each?
    end
  end
end
