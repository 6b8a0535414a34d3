# frozen_string_literal: true

module Ratomic
  # A signed 64-bit integer that every Ractor can count with. No method blocks, and none copies anything.
  #
  #   HITS = Ratomic::Counter.new
  #   HITS.increment     # => 1
  #   HITS.increment(5)  # => 6
  #   HITS.read          # => 6
  #
  # A counter is frozen and shareable, and cannot be copied. One change is one compare-and-swap loop.
  #
  # @!method initialize(initial = 0)
  #   @param initial [Integer] the first value
  #   @raise [TypeError] unless it is an Integer
  #   @raise [RangeError] if it does not fit into 64 bits
  #
  # @!method increment(n = 1)
  #   Adds `n`.
  #   @param n [Integer]
  #   @return [Integer] the value that this very call produced
  #   @raise [TypeError] unless `n` is an Integer
  #   @raise [RangeError] if the sum would leave 64 bits; nothing changes then
  #
  # @!method decrement(n = 1)
  #   Subtracts `n`.
  #   @param n [Integer]
  #   @return [Integer] the value that this very call produced
  #   @raise (see #increment)
  #
  # @!method read
  #   @return [Integer] the value at this moment
  #
  # @!method zero?
  #   @return [Boolean]
  #
  # @!method reset(to = 0)
  #   Stores `to`.
  #   @param to [Integer]
  #   @return [Integer] the value before
  #   @raise [TypeError, RangeError] as {#initialize}
  #
  # @!method compare_and_set(expected, new)
  #   Stores `new` if the value is `expected`.
  #   @param expected [Integer]
  #   @param new [Integer]
  #   @return [Boolean] whether it did
  #   @raise [TypeError, RangeError] as {#initialize}
  #
  # @!method inspect
  #   @return [String] `#<Ratomic::Counter 42>`
  class Counter
    alias value read
    alias to_i read
  end
end
