# frozen_string_literal: true

module Ratomic
  # Refuses `dup` and `clone`, as the native objects do. A copy of a pool would end with its original, or be a second
  # pool.
  # @api private
  module Uncopyable
    private

    def initialize_copy(_original)
      raise TypeError, "an instance of #{self.class} cannot be copied; use the same object everywhere"
    end
  end
end
