# frozen_string_literal: true

module Ratomic
  class Pool
    # An object that is lent, with the number that the server knows it by. No method of the object is called: it may be
    # of any class, or only the shell of an object that was moved away.
    class Lease
      # @return [Integer]
      attr_reader :number
      # @return [Object]
      attr_reader :object
      # @return [Thread] the thread that took the object
      attr_reader :thread
      # @return [Boolean] whether {LeakDetector} has called GC.start since that thread ended
      attr_accessor :gc_requested

      def initialize(number, object)
        @number = number
        @thread = Thread.current
        hold(object)
      end

      # @return [self] referring to the object
      def hold(object)
        @object = object
        @empty = false
        self
      end

      # @return [Object] the object, to which the lease no longer refers
      def release
        object = @object
        @object = nil
        @empty = true
        object
      end

      # @return [Boolean] whether it refers to no object: it was returned, or {LeakDetector} refers to it weakly
      def empty?
        @empty
      end
    end
  end
end
