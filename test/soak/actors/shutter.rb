# frozen_string_literal: true

require_relative "actor"

module Soak
  # Ends pools, and puts new ones in their place.
  class Shutter < Actor
    PATIENCE = 60

    def act
      sleep(@random.rand * 0.3)
      pool = @stage.replace(@random)
      return pool.kill if chance(0.3)

      raise Wrong, "#{pool.inspect} was not shut down in #{PATIENCE} s" unless pool.shutdown(timeout: PATIENCE)
    end
  end
end
