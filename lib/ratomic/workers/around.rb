# frozen_string_literal: true

module Ratomic
  module Workers
    # A callable with another one around it (`around:`). The outer one is called with the item, and yields where the
    # inner one is to run. The result is what the inner one returns.
    #
    # @api private
    class Around
      # @return [#call] the user's
      attr_reader :callable

      # @param around [#call, nil]
      # @return [#call] the callable itself where there is nothing around it
      def self.wrap(callable, around)
        around.nil? || Around === callable || Fold === callable ? callable : new(callable, around)
      end

      # @param callable [#call] of a reduction
      def self.wrap_summing(callable, around)
        return callable if around.nil? || !Callable.call?(callable) # is refused later, with its own name
        return new(callable, around) unless Reflection.responds?(callable, :merge)

        (Reflection.responds?(callable, :add) ? Adding : Merging).new(callable, around)
      end

      def initialize(callable, around)
        @callable = callable
        @around = around
        freeze
      end

      # @raise [CallableError] where it does not yield
      def call(item)
        result = nil
        ran = false
        @around.call(item) do
          ran = true
          result = @callable.call(item)
        end
        return result if ran

        raise CallableError, "around: #{Callable.label(@around)} did not yield, so the item was not run"
      end

      # An Around of a callable with `merge`.
      class Merging < self
        def initial
          @callable.initial
        end

        def merge(sum, other)
          @callable.merge(sum, other)
        end
      end

      # An Around of a callable with `merge` and `add`.
      class Adding < Merging
        def add(sum, result)
          @callable.add(sum, result)
        end
      end
    end
    private_constant :Around
  end
end
