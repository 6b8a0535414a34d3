# frozen_string_literal: true

require_relative "../cdc/cdc"
require_relative "errors"
require_relative "job"

module Demo
  # Decodes the row changes of a recorded stream and counts them per table. A row is less work than to hand it over, so
  # a worker takes some hundred of them at once, and what comes home are its counts.
  class CDCJob < Job
    ITEMS = 120_000
    # Bytes of rows that a worker takes at once.
    PIECE = 64 * 1024

    # @raise [SystemCallError, Cdc::Error] when the stream cannot be read, ends too early or is no pgoutput
    def initialize(options)
      recording = Cdc.load(options.stream || Cdc::RECORDING)
      @size = options.items || ITEMS
      super("cdc", pieces(recording), Cdc::CountRuns.new(recording.relations))
    end

    # @return [Integer] row changes
    attr_reader :size

    def bytes(_results)
      @bytes ||= items.sum { |runs| runs.sum(&:bytesize) }
    end

    def reset
      callable.totals.reset
    end

    # @return [Hash] inserts, updates, deletes, truncates and bytes of each table
    def tally
      callable.totals.to_h
    end

    # @raise [InputError] when rows could not be decoded
    def finish(results)
      rejected = results.grep(Cdc::CountRuns::Counted).flat_map(&:rejected)
      raise InputError, "#{rejected.size} changes not decoded, the first: #{rejected.first}" if rejected.any?
    end

    private

    # The recording, again and again, until there are as many changes as are asked for.
    def pieces(recording)
      missing = @size
      runs = recording.runs.map { |run| [run, run.messages.size] }
      raise Cdc::Error, "the stream holds no row changes" if runs.empty?

      taken = []
      runs.cycle do |run, changes|
        taken << (changes > missing ? Cdc::Run.of(run.messages.first(missing)) : run)
        missing -= changes
        break unless missing.positive?
      end
      sliced(taken)
    end

    def sliced(runs)
      size = 0
      Ractor.make_shareable(runs.slice_when { |run, _next| (size += run.bytesize) >= PIECE && (size = 0) }.to_a)
    end
  end
end
