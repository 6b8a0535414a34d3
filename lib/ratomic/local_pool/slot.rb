# frozen_string_literal: true

module Ratomic
  class LocalPool
    # One of the +size+ places for a resource in a {ResourceStack}. The slots are made with the stack; resources are put
    # in and taken out. {#holder} changes under the stack's lock; {#resource} is changed by the holding thread alone.
    class Slot
      # @return [ResourceStack]
      attr_reader :stack
      # @return [Thread, nil] the thread that holds the slot
      attr_reader :holder
      # @return [Object, nil] nil while the slot is empty
      attr_accessor :resource
      # @return [Integer, nil] how many calls of +reload+ came before the resource was made
      attr_accessor :generation
      # @return [Boolean] whether the resource is to be closed instead of lent again
      attr_accessor :discarded
      # @return [Boolean] whether a Timeout has ended its block with a throw, see {Thrown}
      attr_accessor :thrown

      def initialize(stack)
        @stack = stack
        release
      end

      # @param lent [Boolean] whether it is held for +with+, which gives it back itself
      def hold(thread, lent)
        @holder = thread
        @lent = lent
        @thrown = false
        self
      end

      def release
        hold(nil, false)
      end

      # @return [Boolean] whether {LocalPool#checkout} took +resource+ from this slot
      def checked_out?(resource)
        !@holder.nil? && !@lent && resource.equal?(@resource)
      end

      # @return [Boolean] whether the thread that holds it has ended
      def orphan?
        !@holder.nil? && !@holder.alive?
      end

      # @return [Boolean]
      def free?
        @holder.nil? || orphan?
      end

      # Takes the resource out.
      # @return [Object, nil]
      def empty
        resource = @resource
        @resource = nil
        @discarded = false
        resource
      end
    end
  end
end
