# frozen_string_literal: true

require_relative "bounded_cache"

module Ratomic
  module Workers
    # Exponentially weighted moving averages, by key. Of two samples at the same time one may be lost, which does not
    # matter for an average.
    class MovingAverages < BoundedCache
      # Weight of a new sample.
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
