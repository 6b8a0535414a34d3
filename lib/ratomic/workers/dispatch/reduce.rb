# frozen_string_literal: true

module Ratomic
  module Workers
    # One call of `reduce`, from the caller's arguments to the {Fold} that workers run.
    class Reduce
      MISSING = Object.new.freeze
      private_constant :MISSING

      # @param settings [Settings] of the pool: threads may use what Ractors may not
      # @param callable [#call]
      # @param options [Hash] those of the reduction are taken out
      # @param block [Proc, nil]
      # @raise [ArgumentError, TypeError, CallableError, ShareableError]
      def initialize(settings, callable, options, block)
        @settings = settings
        @callable = callable
        @initial = options.delete(:initial) { MISSING }
        @merge = options.delete(:merge)
        @max_failures = Arguments.integer(:max_failures, options.delete(:max_failures) { Pool::MAX_FAILURES }, 0..)
        @block = block
        Options.check_names(options.keys) # before an option that is misspelt counts as one that is missing
      end

      # @return [Integer] Failures that are kept
      attr_reader :max_failures

      # @return [Fold]
      def fold
        unshareable = @settings.kind.any_block? || @settings.falls_back? # some workers may have what is not shareable
        Callable.check(@callable) unless unshareable && Callable.call?(@callable)
        return of_object unless @block
        raise ArgumentError, "reduce with a block needs initial:" if MISSING.equal?(@initial)
        raise TypeError, "merge: must have call, #{@merge.class} has none" unless @merge.nil? || Callable.call?(@merge)

        block = @settings.share(@block, "block of reduce")
        initial = Initial.new(@initial, @settings.method(:share))
        merge = @merge ? @settings.share(@merge, "merge:") : block
        Fold::OfBlock.new(@callable, @max_failures, @settings.falls_back?, initial, block, merge)
      end

      private

      def of_object
        unless MISSING.equal?(@initial) && @merge.nil?
          raise ArgumentError, "reduce takes initial: and merge: with a block { |sum, result| ... } only; give a " \
                               "block, or leave them out: without a block the callable has both as methods"
        end
        missing = %i[initial merge].reject { |name| Reflection.responds?(@callable, name) }
        return Fold::OfObject.new(@callable, @max_failures, @settings.falls_back?) if missing.empty?

        raise ArgumentError, "reduce needs initial: and a block { |sum, result| ... }, or a callable with " \
                             "`initial` and `merge(sum, other)`: this one has no #{missing.join(" and no ")}"
      end
    end
    private_constant :Reduce
  end
end
