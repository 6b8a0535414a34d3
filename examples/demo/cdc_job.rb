# frozen_string_literal: true

require_relative "../cdc/cdc"
require_relative "errors"
require_relative "job"

module Demo
  # Decodes the row changes of a recorded stream and counts them per table: a reduction. Workers take runs of rows, as
  # they stand in the stream, and what comes home are counts.
  class CDCJob < Job
    ITEMS = 120_000

    # @raise [SystemCallError, Cdc::Error] when the stream cannot be read, ends too early or is no pgoutput
    def initialize(options)
      recording = Cdc.load(options.stream || Cdc::RECORDING)
      @size = options.items || ITEMS
      super("cdc", runs(recording), Cdc::CountRuns.new(recording.relations))
    end

    # @return [Integer] row changes
    attr_reader :size

    # @return [Array] how many changes, which could not be decoded, and the inserts, updates, deletes, truncates and
    #   bytes of each table
    def outcome(results)
      counted = results.first
      totals = Cdc::Totals.new
      totals.add(counted.tally)
      [counted.changes, counted.rejected, totals.to_h, *results.drop(1)]
    end

    # @raise [InputError] when rows could not be decoded
    def finish(outcome)
      rejected = outcome[1]
      raise InputError, "#{rejected.size} changes not decoded, the first: #{rejected.first}" if rejected.any?
    end

    private

    # The recording, again and again, until there are as many changes as are asked for.
    def runs(recording)
      missing = @size
      runs = recording.runs.map { |run| [run, run.messages.size] }
      raise Cdc::Error, "the stream holds no row changes" if runs.empty?

      taken = []
      runs.cycle do |run, changes|
        taken << (changes > missing ? Cdc::Run.of(run.messages.first(missing)) : run)
        missing -= changes
        break unless missing.positive?
      end
      Ractor.make_shareable(taken)
    end
  end
end
