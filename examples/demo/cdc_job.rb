# frozen_string_literal: true

require_relative "../cdc/cdc"
require_relative "job"

module Demo
  # Decodes the row changes of a recorded stream and counts them per table.
  class CDCJob < Job
    ITEMS = 120_000

    # @raise [SystemCallError, Cdc::Error] when the stream cannot be read, ends too early or is no pgoutput
    def initialize(options)
      recording = Cdc.load(options.stream || Cdc::RECORDING)
      items = recording.items.cycle.first(options.items || ITEMS).freeze
      super("cdc", items, Cdc::DecodeChange.new(recording.relations))
    end

    def reset
      callable.totals.reset
    end

    # @return [Hash] inserts, updates, deletes, truncates and bytes of each table
    def tally
      callable.totals.to_h
    end
  end
end
