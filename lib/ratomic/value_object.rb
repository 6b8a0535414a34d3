# frozen_string_literal: true

module Ratomic
  # Objects that are equal if they are of the same class and their `to_h` are equal. `inspect` shows `to_s`.
  # @api private
  module ValueObject
    # @return [Boolean]
    def ==(other)
      other.class == self.class && other.to_h == to_h
    end
    alias eql? ==

    # @return [Integer]
    def hash
      to_h.hash
    end

    # @return [String]
    def inspect
      "#<#{self.class} #{self}>"
    end
  end
  private_constant :ValueObject
end
