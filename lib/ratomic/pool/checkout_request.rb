# frozen_string_literal: true

module Ratomic
  class Pool
    # One place in the line of waiters. Shareable, and itself the message that asks for an object.
    # A ticket that was sent gets exactly one answer, also when it is withdrawn, and can then be used again.
    class CheckoutRequest
      # @return [Ractor::Port] where the object goes
      attr_reader :port
      # @return [Integer] the asking Ractor's desk
      attr_reader :desk
      # @return [Array] the message that asks without waiting
      attr_reader :at_once
      # @return [Array] the message that withdraws it
      attr_reader :withdrawal

      def initialize(port, desk)
        @port = port
        @desk = desk
        @answers = Queue.new(1)
        @at_once = [:at_once, self].freeze
        @withdrawal = [:withdraw, self].freeze
        freeze
      end

      # The server's part.
      # @param answer [Integer, Array, Symbol] a loan's number (its object is in the port), who else waits, or +:closed+
      def answer(answer)
        @answers.try_push(answer)
      end

      # @param timeout [Numeric, nil] seconds
      # @return [Integer, Array, Symbol, nil] the answer, or nil if there is none in time
      def wait(timeout)
        timeout.nil? ? @answers.pop : @answers.pop(timeout: timeout)
      end
    end
  end
end
