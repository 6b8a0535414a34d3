# frozen_string_literal: true

module Cdc
  # The first rows of a long stream, counted in a way that makes the rest cheaper.
  #
  # A garbage collection is due whenever the heap is full, and in a small program the heap is full after some hundred
  # rows. Each collection stops every Ractor. While the collector is off the heap grows by all that is allocated, and it
  # keeps most of that size: behind a warm-up collections are a third as many, and so are the stops.
  module WarmUp
    # Bytes of rows to warm up with. They allocate about four times as much.
    BYTES = 2 * 1024 * 1024

    # @param bytes [Integer] of the rows that the block counts. With more than twice {BYTES}, as when one row has
    #   megabytes, the collector stays on.
    # @yield with the garbage collector off
    # @return [Object] what the block returns
    def self.run(bytes = BYTES, &block)
      return yield if bytes > 2 * BYTES

      without_collector(&block)
    end

    def self.without_collector
      off = GC.disable
      yield
    ensure
      GC.enable unless off
    end
    private_class_method :without_collector
  end
end
