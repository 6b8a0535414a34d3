# frozen_string_literal: true

require_relative "actor"

module Soak
  # Ends pools, and puts new ones in their place.
  class Shutter < Actor
    TIMEOUT_S = 60

    def act
      sleep(@random.rand * 0.3)
      pool = @stage.replace(@random)
      return pool.kill if chance(0.3)

      raise Wrong, "#{pool.inspect} was not shut down in #{TIMEOUT_S} s" unless pool.shutdown(timeout: TIMEOUT_S)
    end
  end
end
