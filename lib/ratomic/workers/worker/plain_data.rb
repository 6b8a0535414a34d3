# frozen_string_literal: true

module Ratomic
  module Workers
    # Data of which a copy is as good as the original: Strings, numbers, Symbols, true, false and nil, and Arrays and
    # Hashes of these, all of Ruby's own classes. Any other object can have an identity, or state that a copy does not
    # have.
    module PlainData
      # Data that is nested more deeply counts as not plain, so that the stack never overflows.
      MAX_DEPTH = 100
      # So does data with more containers. In it may be some with two references, which are looked into twice, and with
      # each such level the time would double.
      MAX_CONTAINERS = 10_000
      private_constant :MAX_DEPTH, :MAX_CONTAINERS

      class << self
        # @param objects [Array]
        # @return [Boolean] whether all are plain data. Failures count as plain data; they are not copied.
        def all?(objects)
          left = [MAX_CONTAINERS]
          objects.all? { |object| Failure === object || plain?(object, MAX_DEPTH, left) }
        end

        private

        # Asks the classes, because a BasicObject answers no method.
        # @param left [Array(Integer)] containers that may be looked into
        def plain?(object, depth, left)
          case object
          when String then object.instance_of?(String)
          when Integer, Float, Symbol, nil, true, false then true
          when Array then container?(depth, left) && array?(object, depth - 1, left)
          when Hash then container?(depth, left) && hash?(object, depth - 1, left)
          else false
          end
        end

        def container?(depth, left)
          depth.positive? && !(left[0] -= 1).negative?
        end

        def array?(array, depth, left)
          return false unless array.instance_of?(Array)

          array.each { |object| return false unless plain?(object, depth, left) }
          true
        end

        def hash?(hash, depth, left)
          return false unless hash.instance_of?(Hash) && hash.default.nil? && hash.default_proc.nil? &&
                              !hash.compare_by_identity?

          hash.each { |key, value| return false unless plain?(key, depth, left) && plain?(value, depth, left) }
          true
        end
      end
    end
  end
end
