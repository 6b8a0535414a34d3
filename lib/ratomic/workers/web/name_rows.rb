# frozen_string_literal: true

module Ratomic
  module Workers
    class Web
      # The table of dispatches with a name (`as:`), with a row for each name.
      class NameRows
        include Figures

        HEADS = ["name", "dispatches", "run by callers", "items", "failures", "a dispatch, mean"].freeze

        # @param names [Hash] of {Snapshot#to_h}
        def initialize(names)
          @names = names
        end

        # @return [Array<Array<String>>]
        def to_a
          @names.map do |name, counts|
            numbers = counts.values_at(:dispatches, :by_caller, :items, :failures)
            [name, *numbers.map { |number| count(number) }, time(counts[:seconds] / [counts[:dispatches], 1].max)]
          end
        end
      end
    end
  end
end
