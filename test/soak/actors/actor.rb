# frozen_string_literal: true

module Soak
  # Acts at random on a {Stage}, again and again.
  class Actor
    # @param stage [Stage]
    # @param place [Integer] number of the actor
    # @param random [Random]
    def initialize(stage, place, random)
      @stage = stage
      @place = place
      @random = random
    end

    # Does one thing. Called until the round is over.
    def act
      raise NotImplementedError
    end

    # Comes to its end.
    def finish; end

    private

    def chance(share)
      @random.rand < share
    end
  end
end
