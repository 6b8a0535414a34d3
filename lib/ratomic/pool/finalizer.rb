# frozen_string_literal: true

module Ratomic
  class Pool
    # Closes a pool's server when the pool has been collected. Shareable, because the collector may call it in any
    # Ractor; it does not refer to the pool, which could never be collected then.
    class Finalizer
      # @param channels [Ratomic::Map] the pool's {ServerChannel} in this process, as +:current+
      def initialize(channels)
        @channels = channels
        freeze
      end

      # @param _id [Integer] of the collected pool
      def call(_id)
        @channels[:current].close
        RactorClients.tidy
      end
    end
  end
end
