# frozen_string_literal: true

require_relative "engine"

module Ratomic
  module Workers
    # An engine without a coordinator: that of the inline backend, and of a pool that was shut down before it was used.
    # Instead of sending a message, the calling thread checks by itself whether the pool has ended.
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
