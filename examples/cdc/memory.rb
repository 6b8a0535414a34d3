# frozen_string_literal: true

module Cdc
  # The memory that all open transactions may have together. When it is full, the largest transaction moves to a
  # temporary file.
  class Memory
    # @return [Array<Hash{Integer => Integer}>] the numbers of the tables, a Hash for each time that they changed
    attr_reader :schemas
    # @return [Integer] bytes in use
    attr_reader :bytes
    # @return [Integer] how often something was moved to a file
    attr_reader :spills

    # @param limit [Integer] bytes
    def initialize(limit)
      @limit = limit
      @bytes = 0
      @spills = 0
      @held = {}.compare_by_identity
      @schemas = [{}.freeze]
    end

    def add(held, bytes)
      @held[held] = true
      @bytes += bytes
      return if @bytes <= @limit

      @spills += 1
      @held.keys.max_by(&:bytes).spill
    end

    def remove(held, bytes)
      @bytes -= bytes
      @held.delete(held)
    end
  end
end
