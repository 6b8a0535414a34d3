# frozen_string_literal: true

module Ratomic
  module Workers
    # The message about an option that does not exist, or not there.
    module UnknownOption
      # Options that only some methods take: who takes them => their names.
      OF_SOME = {
        "a pool" => %i[size name backend max_queue fallback recycle_after on_worker_start on_worker_stop].freeze,
        "map" => %i[progress].freeze,
        "reduce" => %i[initial merge max_failures].freeze,
        "stream" => %i[key max_in_flight ordered].freeze
      }.freeze
      private_constant :OF_SOME

      class << self
        # @param name [Object] that was given
        # @param known [Array<Symbol>] the options of each dispatch
        # @return [String]
        def message(name, known)
          others = OF_SOME.map { |owner, names| "; of #{owner} only: #{names.join(", ")}" }
          "unknown option #{Arguments.shown(name)}#{hint(name, known)}, known: #{known.join(", ")}#{others.join}"
        end

        private

        # @return [String, nil]
        def hint(name, known)
          owner, = OF_SOME.find { |_, names| names.include?(name) }
          return " (it is for #{owner} only)" if owner

          meant = similar(Text.of(name.to_s), known + OF_SOME.values.flatten) if Symbol === name || String === name
          " (did you mean #{meant}:?)" if meant
        end

        # @return [Symbol, nil] nil too where Ruby runs without its did_you_mean (`--disable=did_you_mean`)
        def similar(name, all)
          same = all.find { |other| other.name == name } # a String in the place of a Symbol, which is no typing error
          return same if same || !defined?(::DidYouMean::SpellChecker)

          ::DidYouMean::SpellChecker.new(dictionary: all).correct(name).first
        end
      end
    end
    private_constant :UnknownOption
  end
end
