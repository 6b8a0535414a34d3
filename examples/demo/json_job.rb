# frozen_string_literal: true

require_relative "../events/events"
require_relative "errors"
require_relative "failed"
require_relative "job"

module Demo
  # Parses and validates JSON events, and keeps what is needed of a few: a pipeline, in which most items are dropped.
  class JSONJob < Job
    ITEMS = 3_000

    # @raise [SystemCallError, Events::Invalid] when --events names a file that cannot be used
    def initialize(options)
      @path = options.events
      super("json", documents(options), Events::PIPELINE, Events::Stages::ByHand)
    end

    # Generated documents are malformed on purpose; those of a file should not be.
    def finish(results)
      return unless @path

      bad = results.grep(Ratomic::Workers::Failure)
      return if bad.empty?

      raise InputError, "#{@path}: #{bad.size} of #{items.size} documents are malformed, " \
                        "the first is document #{bad.first.index + 1}: #{bad.first.message}"
    end

    private

    def documents(options)
      return Events::Generator.new(seed: options.seed).documents(options.items || ITEMS) unless @path

      documents = Events::Source.read(@path)
      options.items ? documents.cycle.first(options.items).freeze : documents
    end
  end
end
