# frozen_string_literal: true

module Ratomic
  class Pool
    # A thread's request for an object. Shareable: the request itself is the message to the server. The server answers
    # each request exactly once, also one that is withdrawn; after the answer the client uses the request again.
    class CheckoutRequest
      # @return [Ractor::Port] where the object goes
      attr_reader :port
      # @return [Integer] number of the {RactorClient} that asks
      attr_reader :client
      # @return [Array] the message that asks for an object without waiting for one
      attr_reader :at_once
      # @return [Array] the message that withdraws the request
      attr_reader :withdrawal

      def initialize(port, client)
        @port = port
        @client = client
        @answers = Queue.new(1)
        @at_once = [:at_once, self].freeze
        @withdrawal = [:withdraw, self].freeze
        freeze
      end

      # Called by the server.
      # @param answer [Integer, Array, Symbol] the number of a lease (its object is in the port already), the counts of
      #   {Inventory} when there is no object, or +:closed+
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
