# frozen_string_literal: true

require_relative "invalid"

module Events
  # The questions that the rules ask of a parsed document. Each returns the value, or raises {Invalid} with the name
  # of the field, what was expected and what is there. No keyword arguments: these run in the workers' loop.
  module Check
    TIME = /\A\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\dZ\z/

    module_function

    # @return [Integer] hash[key], an Integer inside range
    def integer(hash, key, range)
      value = hash[key]
      return value if value.is_a?(Integer) && range.cover?(value)

      refuse(key, "an integer in #{range}", value)
    end

    # @return [Numeric] hash[key], an Integer or Float inside range
    def number(hash, key, range)
      value = hash[key]
      return value if (value.is_a?(Float) || value.is_a?(Integer)) && range.cover?(value)

      refuse(key, "a number in #{range}", value)
    end

    # @return [String] hash[key], a text that is not empty
    def text(hash, key)
      value = hash[key]
      return value if value.is_a?(String) && !value.empty?

      refuse(key, "a text", value)
    end

    # @return [String] hash[key], a text that matches pattern
    def match(hash, key, pattern)
      value = hash[key]
      return value if value.is_a?(String) && pattern.match?(value)

      refuse(key, "like #{pattern.source}", value)
    end

    # @return [String] hash[key], a time such as 2026-03-01T12:00:00Z
    def time(hash, key)
      value = hash[key]
      return value if value.is_a?(String) && TIME.match?(value)

      refuse(key, "a UTC time", value)
    end

    # @return [String] hash[key], one of the allowed values
    def one_of(hash, key, allowed)
      value = hash[key]
      return value if allowed.include?(value)

      refuse(key, "one of #{allowed.join(', ')}", value)
    end

    # @return [Hash] hash[key], an object
    def object(hash, key)
      value = hash[key]
      value.is_a?(Hash) ? value : refuse(key, "an object", value)
    end

    # @return [Array] hash[key], a list with at least one element
    def list(hash, key)
      value = hash[key]
      value.is_a?(Array) && !value.empty? ? value : refuse(key, "a list with elements", value)
    end

    # @return [void] when the two amounts are the same
    def equal(name, stated, computed)
      raise Invalid, "#{name} is #{stated}, but it adds up to #{computed}" unless stated == computed
    end

    # @raise [Invalid] always; a long value is cut, so that a message stays one line
    def refuse(key, expected, value)
      found = value.nil? ? "missing" : "#{value.inspect[0, 40]} (#{value.class})"
      raise Invalid, "#{key} must be #{expected}, is #{found}"
    end
  end
end
