# frozen_string_literal: true

require_relative "engine"

module Ratomic
  module Workers
    # An engine without a coordinator: of the inline backend, and of a pool that was ended before it worked. Who has
    # something to tell the coordinator looks himself whether it is the end.
    class UncoordinatedEngine < Engine
      # @param settings [Settings]
      def initialize(settings)
        super(settings, nil)
      end

      # @see Engine#post
      def post(_message)
        self.end if !open? && idle?
      end
    end
  end
end
