# frozen_string_literal: true

module Ratomic
  module Workers
    # Reads the items of a dispatch or a stream from an Array, an Enumerable, or any object with `each`. A method `to_a`
    # is not enough: nil, a Time and a MatchData have one too. A Struct is accepted only if it defines an `each` of its
    # own.
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

      # Calls the block with each item, as `to_a` would list it: if the source yields several values at once, the item
      # is an Array of them.
      # @param source [#each]
      # @yieldparam item [Object]
      def self.each(source, &block)
        return source.each(&block) if Array === source && source.instance_of?(Array) # each of its steps has one value

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
