# frozen_string_literal: true

module Ports
  # The work: next to nothing, so that what is measured is the way there and back.
  module Task
    # Raised for an item that cannot be processed.
    class Refused < StandardError
    end

    # @param number [Integer]
    # @return [Integer] its square
    # @raise [Refused] for a negative number
    def self.call(number)
      raise Refused, "#{number} is negative" if number.negative?

      Thread.main.kill if number.zero? # ends the Ractor in which this runs, as a crash does
      number * number
    end
  end
end
