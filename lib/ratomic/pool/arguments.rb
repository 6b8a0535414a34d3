# frozen_string_literal: true

module Ratomic
  class Pool
    # Arguments, clock and interrupt masks of both pools. `Thread#kill`, `Timeout` and `Thread#raise` may interrupt a
    # pool only where no object can be lost.
    module Waiting
      # Interrupts are deferred: for steps that hand an object from one holder to the next.
      # Object, not Exception: in CRuby `Thread#kill` is not an exception.
      NEVER = { Object => :never }.freeze
      # Interrupts are let in while the thread blocks: for the wait itself.
      ON_BLOCKING = { Object => :on_blocking }.freeze

      # The largest pool.
      MAX_SIZE = 2**20

      # @return [Float] seconds
      def self.now
        Process.clock_gettime(Process::CLOCK_MONOTONIC)
      end

      # @param wrong [Class] what a wrong type raises
      # @return [Integer] +size+
      # @raise [TypeError, ArgumentError]
      def self.size(size, wrong = TypeError)
        raise wrong, "size has to be an Integer, not #{size.inspect}" unless size.is_a?(Integer)
        raise ArgumentError, "size has to be 1 to #{MAX_SIZE}, not #{size}" unless size.between?(1, MAX_SIZE)

        size
      end

      # @param wrong [Class] what a wrong type raises
      # @return [Numeric, nil] +timeout+
      # @raise [TypeError, ArgumentError]
      def self.timeout(timeout, wrong = TypeError)
        return if timeout.nil?
        raise wrong, "timeout has to be seconds or nil, not #{timeout.inspect}" unless timeout.is_a?(Numeric)
        raise ArgumentError, "timeout has to be 0 or more seconds, not #{timeout}" unless timeout >= 0

        timeout
      end

      # @return [String, nil] what keeps an object from changing hands
      def self.immovable(object)
        return "the object was moved elsewhere" if moved?(object)

        return "the #{Reflection.class_of(object)} is frozen" if Reflection.frozen?(object)

        Workers::Moving.obstacle(object, "object")&.to_s
      end

      # @return [Boolean] whether the object was moved away, and only its shell is left
      def self.moved?(object)
        Ractor::MovedObject === object # it answers no method
      end
    end
  end
end
