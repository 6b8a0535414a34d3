# frozen_string_literal: true

module Ratomic
  class Pool
    # The requests that wait for an object, first come, first served. Used by the server's thread alone, but every
    # client can read how many there are: while none waits, the server is not woken for an object that comes back.
    class WaitQueue
      # @param length [Counter] kept at the number of requests
      def initialize(length)
        @requests = {}.compare_by_identity
        @length = length
      end

      def push(request)
        @requests[request] = true
        @length.increment
      end

      # @return [CheckoutRequest] the first
      def shift
        request, = @requests.shift
        @length.decrement
        request
      end

      # @return [Boolean] whether the request waited
      def delete(request)
        @requests.delete(request) && @length.decrement && true
      end

      # @return [Array<CheckoutRequest>] the requests of that client, which do not wait any more
      def remove_client(client)
        @requests.keys.select { |request| request.client == client && delete(request) }
      end

      def each(&block)
        @requests.each_key(&block)
      end

      def size
        @requests.size
      end

      def empty?
        @requests.empty?
      end
    end
  end
end
