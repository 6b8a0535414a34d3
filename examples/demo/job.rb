# frozen_string_literal: true

module Demo
  # One of the three jobs: what is done to which items, and how it is accounted for.
  class Job
    # @return [String] "json", "cdc" or "erb"
    attr_reader :name
    # @return [Array] shareable items
    attr_reader :items
    # @return [#call] shareable
    attr_reader :callable

    def initialize(name, items, callable)
      @name = name
      @items = items
      @callable = callable
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

    # Before each run.
    def reset; end

    # @return [Object, nil] what else a run has to show besides its results; compared as the results are
    def tally; end

    # After all runs.
    # @param results [Array] of the last compared run
    # @return [String, nil] a line to say when something about the input deserves it
    # @raise [InputError] when the input was not good
    def finish(_results); end
  end
end
