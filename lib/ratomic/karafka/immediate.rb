# frozen_string_literal: true

module Ratomic
  module Karafka
    # Stands for a dispatch that was not made: messages deserialize themselves when their payload is asked for.
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
