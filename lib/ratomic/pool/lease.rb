# frozen_string_literal: true

module Ratomic
  class Pool
    # An object that is lent, with the number that the server knows it by. No method of the object is called: it may be
    # of any class, or only the shell of an object that was moved away.
    class Lease
      # @return [String, nil] why the object cannot go from owner to owner
      def self.immovable(object)
        return "the object was moved elsewhere" if moved?(object)
        return "the #{Reflection.class_of(object)} is frozen" if Reflection.object_frozen?(object)

        Workers::Moving.obstacle(object, "object")&.to_s
      end

      # @return [Boolean] whether the object was moved away, and only its shell is left
      def self.moved?(object)
        Ractor::MovedObject === object # it answers no method
      end

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
