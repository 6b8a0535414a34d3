# frozen_string_literal: true

module Ratomic
  class Pool
    # Checks the arguments of both pools.
    module Arguments
      # The largest pool.
      MAX_SIZE = 2**20

      # @param wrong [Class] what a wrong type raises
      # @return [Integer] +size+
      # @raise [TypeError, ArgumentError]
      def self.size(size, wrong = TypeError)
        raise wrong, "size has to be an Integer, not #{size.inspect}" unless size.is_a?(Integer)
        raise ArgumentError, "size has to be 1 to #{MAX_SIZE}, not #{size}" unless size.between?(1, MAX_SIZE)

        size
      end

      # @param wrong [Class] what a wrong type raises
      # @return [Numeric, nil] +timeout+
      # @raise [TypeError, ArgumentError]
      def self.timeout(timeout, wrong = TypeError)
        return if timeout.nil?

        number = timeout.is_a?(Numeric) && timeout.real?
        raise wrong, "timeout has to be seconds or nil, not #{timeout.inspect}" unless number
        raise ArgumentError, "timeout has to be 0 or more seconds, not #{timeout}" unless timeout >= 0

        timeout
      end
    end
  end
end
