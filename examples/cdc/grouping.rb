# frozen_string_literal: true

require_relative "warm_up"

module Cdc
  # Collects the runs of a stream into groups. A group is what one worker counts in one go.
  class Grouping
    # Bytes of the runs of a group at least, unless it is the first ({WarmUp}) or the last: some milliseconds of work.
    BYTES = 512 * 1024

    def initialize
      @runs = []
      @size = 0
      @due = WarmUp::BYTES
    end

    # @param run [Run] the next of the stream
    # @yieldparam runs [Array<Run>] a group, if it is complete with this run
    # @yieldparam bytes [Integer] how many its runs have
    # @return [void]
    def add(run, &group)
      @runs << run
      hand_on(&group) if (@size += run.bytesize) >= @due
    end

    # @yieldparam runs [Array<Run>] the last group, if runs are left
    # @yieldparam bytes [Integer]
    # @return [void]
    def finish(&group)
      hand_on(&group) if @runs.any?
    end

    private

    def hand_on
      runs = @runs
      bytes = @size
      @runs = []
      @size = 0
      @due = BYTES
      yield runs, bytes
    end
  end
end
