# frozen_string_literal: true

module Ratomic
  class FrozenCopy
    # Walks a graph from the inside out: it comes to a Set after all the elements of the Set. After that the VM can
    # handle the rest of the graph.
    # @api private
    class InsideOut
      # Raised when the graph has an exception: an {ErrorRecord} has to take its place.
      Exceptional = Class.new(StandardError)

      # @yieldparam object [Object] a Set, or something in one
      def initialize(&visit)
        @visit = visit
        @entered = {}.compare_by_identity # object => Sets that were open then; nil when it is done
        @sets = 0
      end

      # @return [self]
      # @raise [Exceptional]
      # @raise [ShareableError] for a Set that contains itself
      def through(object)
        return self if Workers::Sharing.deep_frozen?(object)
        return met_again(object) if @entered.key?(object)
        raise Exceptional if Exception === object && FrozenCopy.recorded?(object)

        @entered[object] = @sets
        enter(object)
        @entered[object] = nil
        self
      end

      private

      def enter(object)
        inside = Workers::References.of(object).map(&:last)
        return inside.each { |child| through(child) } unless ::Set === object

        @sets += 1
        inside.each { |child| @visit.call(child) if through(child) }
        @sets -= 1
        @visit.call(object)
      end

      def met_again(object)
        before = @entered[object]
        raise ShareableError, "a Set contains itself; break the cycle" if before && before < @sets

        self
      end
    end
  end
end
