# frozen_string_literal: true

module Demo
  # The superclass of the errors that end the demo with one line and an exit status.
  class Error < StandardError
    # @return [Integer] the exit status
    def status
      1
    end
  end

  # An option that does not exist or makes no sense.
  class UsageError < Error
    def status
      2
    end
  end

  # Input that cannot be used: a file that cannot be read, a stream that ends too early, malformed documents.
  class InputError < Error
  end

  # Two modes that should have given the same results did not.
  class Mismatch < Error
  end
end
