# frozen_string_literal: true

module Ratomic
  # Checks what public methods are given. A message names the argument, what it must be, and what was given. To show
  # a wrong object, no method of it is called.
  # @api private
  module Arguments
    # The largest pool.
    MAX_SIZE = 2**20

    class << self
      # @param name [Symbol, String] of the argument, for the message: a Symbol for a keyword
      # @param range [Range] without an end where there is no limit
      # @param wrong [Class] what a wrong type raises
      # @param type [String] what it must be, for the message
      # @return [Integer] +value+
      # @raise [TypeError, ArgumentError]
      def integer(name, value, range, wrong = TypeError, type = "an Integer")
        raise wrong, "#{label(name)} must be #{type}, not #{shown(value)}" unless Integer === value
        return value if range.cover?(value)

        limit = range.end ? "to #{range.end}" : "or more"
        raise ArgumentError, "#{label(name)} must be #{range.begin} #{limit}, not #{value}"
      end

      # As {integer}, of an argument that may be `:auto` as well.
      # @return [Integer, Symbol] +value+
      def integer_or_auto(name, value, range, wrong = TypeError)
        :auto.equal?(value) ? value : integer(name, value, range, wrong, "an Integer or :auto")
      end

      # @param wrong [Class] what a wrong type raises
      # @return [Integer, Float, nil] +value+; a Float for numbers of other classes, which may not be shareable
      # @raise [TypeError, ArgumentError]
      def seconds(name, value, wrong = TypeError)
        return if NilClass === value
        # Not `Numeric === value`: a Duration of ActiveSupport answers `is_a?` as the number that it stands for.
        unless Object === value && value.is_a?(Numeric) && (value.real? || value.imaginary.eql?(0))
          raise wrong, "#{label(name)} must be seconds as a number, or nil, not #{shown(value)}"
        end

        number = Integer === value ? value : value.to_f
        return number if number >= 0

        raise ArgumentError, "#{label(name)} must be 0 or more seconds, or nil, not #{shown(number)}"
      end

      # @param choices [Array<Symbol>]
      # @return [Symbol] +value+
      # @raise [ArgumentError]
      def choice(name, value, choices)
        return value if Symbol === value && choices.include?(value)

        raise ArgumentError, "#{label(name)} must be one of #{choices.map(&:inspect).join(", ")}, not #{shown(value)}"
      end

      # For methods that people may expect to take a block: Ruby ignores one that a method does not take.
      # @param given [Boolean] whether there is one
      # @param advice [String] what to do instead
      # @raise [ArgumentError] if there is a block
      def no_block(given, method, advice)
        raise ArgumentError, "#{method} takes no block; #{advice}" if given
      end

      # @return [String] the object, for a message
      def shown(object)
        Workers::ShortInspect.of(object)
      end

      private

      def label(name)
        Symbol === name ? "#{name}:" : name
      end
    end
  end
end
