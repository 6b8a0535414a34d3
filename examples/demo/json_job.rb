# frozen_string_literal: true

require_relative "../events/events"
require_relative "errors"
require_relative "failed"
require_relative "job"

module Demo
  # Parses and validates JSON events.
  class JSONJob < Job
    ITEMS = 3_000

    # @raise [SystemCallError, Events::Invalid] when --events names a file that cannot be used
    def initialize(options)
      @path = options.events
      super("json", documents(options), Events::ParseEvent)
    end

    # Generated documents are malformed on purpose; those of a file should not be.
    def finish(results)
      return unless @path

      bad = results.each_index.select { |index| Failed.in?(results[index]) }
      return if bad.empty?

      raise InputError, "#{@path}: #{bad.size} of #{items.size} documents are malformed, " \
                        "the first is document #{bad.first + 1}: #{results[bad.first].message}"
    end

    private

    def documents(options)
      return Events::Generator.new(seed: options.seed).documents(options.items || ITEMS) unless @path

      documents = Events::Source.read(@path)
      options.items ? documents.cycle.first(options.items).freeze : documents
    end
  end
end
