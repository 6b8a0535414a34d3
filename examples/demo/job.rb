# frozen_string_literal: true

module Demo
  # One of the three jobs: what is done to which items, and how it is accounted for.
  class Job
    # @return [String] "json", "cdc" or "erb"
    attr_reader :name
    # @return [Array] shareable items
    attr_reader :items
    # @return [#call] what Ratomic::Workers runs: shareable. One that has `merge` is for a reduction
    attr_reader :callable
    # @return [#call] what everybody else runs: the same work, done by hand
    attr_reader :by_hand

    def initialize(name, items, callable, by_hand = callable)
      @name = name
      @items = items
      @callable = callable
      @by_hand = by_hand
    end

    # @return [Boolean] whether the results are summed
    def sum?
      by_hand.respond_to?(:merge)
    end

    # @return [Integer] how many there are to tell of
    def size
      items.size
    end

    # @param results [Array]
    # @return [Integer] bytes that the job worked on
    def bytes(_results)
      @bytes ||= items.sum(&:bytesize)
    end

    # What a run came to, as something that can be compared.
    # @param results [Array]
    # @return [Array]
    def outcome(results)
      results
    end

    # After all runs.
    # @param results [Array] of the last compared run
    # @return [String, nil] a line to say when something about the input deserves it
    # @raise [InputError] when the input was not good
    def finish(_results); end
  end
end
