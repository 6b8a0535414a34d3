# frozen_string_literal: true

module Ratomic
  class LocalPool
    # One of the +size+ places of a Ractor's pool. It is there from the beginning and never leaves; the resource in it
    # comes and goes. Who holds the place changes under the stock's lock; what is in it, only by the hand of its holder.
    class Slot
      # @return [ResourceStack]
      attr_reader :stock
      # @return [Thread, nil] who has the place
      attr_reader :holder
      # @return [Object, nil] nil while there is none
      attr_accessor :resource
      # @return [Integer, nil] which +reload+ the resource was made after
      attr_accessor :generation
      # @return [Boolean] broken: to be closed instead of kept
      attr_accessor :discarded
      # @return [Boolean] a Timeout has ended its block by a throw, see {Thrown}
      attr_accessor :thrown

      def initialize(stock)
        @stock = stock
        release
      end

      # @param lent [Boolean] whether +with+ holds it, which gives it back itself
      def hold(thread, lent)
        @holder = thread
        @lent = lent
        @thrown = false
        self
      end

      def release
        hold(nil, false)
      end

      # @return [Boolean] whether +resource+ is in it by {LocalPool#checkout}
      def checked_out?(resource)
        !@holder.nil? && !@lent && resource.equal?(@resource)
      end

      # @return [Boolean] whether it was left behind by a thread that has ended
      def orphan?
        !@holder.nil? && !@holder.alive?
      end

      # @return [Boolean]
      def free?
        @holder.nil? || orphan?
      end

      # @return [Object, nil] the resource, which is in the slot no longer
      def empty
        resource = @resource
        @resource = nil
        @discarded = false
        resource
      end
    end
  end
end
