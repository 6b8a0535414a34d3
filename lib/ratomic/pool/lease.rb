# frozen_string_literal: true

module Ratomic
  class Pool
    # One object in a borrower's hands, known to the server by a number. The object is never asked anything: it may be
    # of any class, or a mere shell that was moved away.
    class Lease
      # @return [Integer]
      attr_reader :number
      # @return [Object]
      attr_reader :object
      # @return [Thread] who took it
      attr_reader :thread
      # @return [Boolean] that thread has ended, and a collection has been asked for
      attr_accessor :searched

      def initialize(number, object)
        @number = number
        @thread = Thread.current
        hold(object)
      end

      # @return [self] with the object in it
      def hold(object)
        @object = object
        @empty = false
        self
      end

      # @return [Object] the object, to which the loan no longer refers
      def surrender
        object = @object
        @object = nil
        @empty = true
        object
      end

      # @return [Boolean] whether the object is elsewhere: given back, or kept by the register
      def empty?
        @empty
      end
    end
  end
end
