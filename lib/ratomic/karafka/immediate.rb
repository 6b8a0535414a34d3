# frozen_string_literal: true

module Ratomic
  module Karafka
    # Takes the place of the future when nothing was dispatched: each message deserializes itself when its payload is
    # asked for.
    class Immediate
      # @return [nil]
      def retrieve
        nil
      end

      INSTANCE = new.freeze
      private_constant :INSTANCE

      # @return [Immediate]
      def self.instance
        INSTANCE
      end
    end
  end
end
