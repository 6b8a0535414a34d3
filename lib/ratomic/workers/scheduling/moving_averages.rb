# frozen_string_literal: true

module Ratomic
  module Workers
    # Moving averages, by key. Of two samples at the same moment one may be lost, which an average does not mind.
    class MovingAverages < BoundedCache
      # Share of a new sample.
      SAMPLE_WEIGHT = 0.25

      # @param sample [Float]
      # @return [Float] the average with the sample in it
      def learn(key, sample)
        known = self[key]
        self[key] = known ? known + ((sample - known) * SAMPLE_WEIGHT) : sample
      end
    end
  end
end
