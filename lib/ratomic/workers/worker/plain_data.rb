# frozen_string_literal: true

module Ratomic
  module Workers
    # Data of which a copy is as good as the original: Strings, numbers, Symbols, true, false and nil, and Arrays and
    # Hashes of these, all of Ruby's own classes. Any other object can have an identity, or state that a copy does not
    # have.
    module PlainData
      # Data that is nested more deeply counts as not plain, so that the stack never overflows.
      MAX_DEPTH = 100
      private_constant :MAX_DEPTH

      class << self
        # @param objects [Array]
        # @return [Boolean] whether all are plain data. Failures count as plain data; they are not copied.
        def all?(objects)
          objects.all? { |object| Failure === object || plain?(object, MAX_DEPTH) }
        end

        private

        # Asks the classes, because a BasicObject answers no method.
        def plain?(object, depth)
          case object
          when String then object.instance_of?(String)
          when Integer, Float, Symbol, nil, true, false then true
          when Array then depth.positive? && array?(object, depth - 1)
          when Hash then depth.positive? && hash?(object, depth - 1)
          else false
          end
        end

        def array?(array, depth)
          return false unless array.instance_of?(Array)

          array.each { |object| return false unless plain?(object, depth) }
          true
        end

        def hash?(hash, depth)
          return false unless hash.instance_of?(Hash) && hash.default.nil? && hash.default_proc.nil? &&
                              !hash.compare_by_identity?

          hash.each { |key, value| return false unless plain?(key, depth) && plain?(value, depth) }
          true
        end
      end
    end
  end
end
