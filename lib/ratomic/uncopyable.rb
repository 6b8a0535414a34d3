# frozen_string_literal: true

module Ratomic
  # Refuses `dup` and `clone`, as the native objects do. A copy of a pool would end with its original, or be a second
  # pool.
  # @api private
  module Uncopyable
    private

    def initialize_copy(_original)
      raise TypeError, "a #{self.class} cannot be copied: there is one of it, and every Ractor shares it"
    end
  end
end
