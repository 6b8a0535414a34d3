# frozen_string_literal: true

module Ratomic
  module Workers
    # Moving averages, by key. Of two samples at the same moment one may be lost, which an average does not mind.
    class Averages
      # Share of a new sample.
      NEW = 0.25

      def initialize
        @values = Notebook.new
        freeze
      end

      # @return [Float, nil]
      def [](key)
        @values[key]
      end

      # @param sample [Float]
      # @return [Float] the average with the sample in it
      def learn(key, sample)
        known = @values[key]
        @values[key] = known ? known + ((sample - known) * NEW) : sample
      end

      # @return [Hash{Object => Float}]
      def to_h
        @values.to_h
      end
    end
  end
end
