# frozen_string_literal: true

require "set"

module Ratomic
  # A hash table that every Ractor can read and write.
  #
  #   COUNTS = Ratomic::Map.new
  #   COUNTS.increment("jobs")                    # => 1
  #   COUNTS.compute("jobs") { |value| value * 2 } # => 2
  #
  # Keys are compared as in Hash, by `hash` and `eql?`. Keys and values that are shareable go in as they are, anything
  # else as a frozen deep copy (a String key as Hash copies it); the caller's own object stays as it was. What cannot be
  # made shareable raises {ShareableError} and changes nothing.
  #
  # == Blocks
  #
  # A method with a block is atomic for its key: the block runs once, each caller sees the result of the one before, and
  # if the block does not end normally (it raises, throws, breaks, or its thread is killed) nothing changes. While it
  # runs its key is claimed by this thread:
  #
  # - reads of any key, {#size} and the snapshots go on, and see the value as it was;
  # - writes of other keys go on, also from inside the block;
  # - a write of this key by another thread waits (it lets other threads of its Ractor run, and can be interrupted);
  # - a write of this key from inside the block raises ThreadError;
  # - of threads that would wait for each other's keys in a circle, one gets a ThreadError.
  #
  # A block that hands control to another Fiber and is never resumed keeps its claim until its thread ends.
  #
  # == Snapshots
  #
  # {#keys}, {#values}, {#to_h} and {#each_pair} copy the entries as they are at one moment, in no particular order.
  # After a fork the child has its own map with the same entries.
  #
  # @!method initialize
  #
  # @!method get(key)
  #   @return [Object, nil] the value, shared and not copied; nil if there is none
  #
  # @!method set(key, value)
  #   @return [Object] the value that was given
  #   @raise [ShareableError] if key or value cannot be made shareable
  #   @raise [ThreadError] inside a block that computes this key
  #
  # @!method key?(key)
  #   @return [Boolean]
  #
  # @!method fetch(key, default = (not given))
  #   @yieldparam key [Object] called if there is no value, outside of any claim
  #   @return [Object] the value, else what the block returns, else the default
  #   @raise [KeyError] with receiver and key, if there is neither value nor block nor default
  #
  # @!method delete(key)
  #   @return [Object, nil] the value that was there
  #   @raise [ThreadError] inside a block that computes this key
  #
  # @!method clear
  #   Removes every entry, waiting for the blocks that are running. Entries that others add meanwhile may stay.
  #   @return [self]
  #   @raise [ThreadError] inside a block of this map
  #
  # @!method size
  #   @return [Integer] entries at this moment
  #
  # @!method empty?
  #   @return [Boolean]
  #
  # @!method compute(key)
  #   Stores what the block makes of the value.
  #   @yieldparam value [Object, nil] nil if there is none
  #   @return [Object] the new value
  #   @raise [LocalJumpError] without a block
  #
  # @!method upsert(key, initial)
  #   Stores `initial`, or what the block makes of the value that is there.
  #   @yieldparam value [Object]
  #   @return [Object] the new value
  #   @raise [LocalJumpError] without a block
  #
  # @!method fetch_or_store(key)
  #   Stores what the block returns if there is no value.
  #   @yieldparam key [Object]
  #   @return [Object] the value
  #   @raise [LocalJumpError] without a block
  #
  # @!method fetch_and_modify(key)
  #   Stores what the block makes of the value, which must be there.
  #   @yieldparam value [Object]
  #   @return [Object] the new value
  #   @raise [KeyError] if there is none
  #   @raise [LocalJumpError] without a block
  #
  # @!method increment(key, by = 1)
  #   Adds a number; a missing value counts as 0. Integers and Floats are added with no Ruby call.
  #   @param by [Numeric]
  #   @return [Numeric] the new value
  #   @raise [TypeError] if `by` or the value is not a number; nothing changes then
  #
  # @!method decrement(key, by = 1)
  #   Subtracts a number, as {#increment} adds one.
  #
  # @!method append(key, element)
  #   Replaces the Array (a missing one counts as empty) by a frozen one with `element` at its end.
  #   @return [Array] the new value
  #   @raise [TypeError] if the value is not an Array
  #
  # @!method add_to_set(key, element)
  #   Replaces the Set (a missing one counts as empty) by a frozen one with `element` in it.
  #   @return [Set] the new value
  #   @raise [TypeError] if the value is not a Set
  #
  # @!method compare_and_set(key, expected, new)
  #   Stores `new` if the value is `==` to `expected`; a missing value counts as nil.
  #   @return [Boolean] whether it did
  #
  # @!method keys
  #   @return [Array]
  #
  # @!method values
  #   @return [Array]
  #
  # @!method to_h
  #   @return [Hash] a new, mutable one
  #
  # @!method each_pair
  #   @yieldparam key [Object]
  #   @yieldparam value [Object]
  #   @return [self, Enumerator] an Enumerator without a block
  #
  # @!method inspect
  #   @return [String] `#<Ratomic::Map 2 entries>`
  class Map
    alias [] get
    alias []= set
    alias include? key?
    alias member? key?
    alias length size
  end
end
