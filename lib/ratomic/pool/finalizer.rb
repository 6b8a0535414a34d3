# frozen_string_literal: true

module Ratomic
  class Pool
    # Ends the pool's Ractor when nothing refers to the pool any more. Shareable, since any Ractor may run it, and
    # without a reference to the pool itself.
    class Finalizer
      # @param links [Ratomic::Map] holds the present {ServerChannel} as +:current+
      def initialize(links)
        @links = links
        freeze
      end

      # @param _id [Integer] of the collected pool
      def call(_id)
        @links[:current].close
        RactorClients.tidy
      end
    end
  end
end
