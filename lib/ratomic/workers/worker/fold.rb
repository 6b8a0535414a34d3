# frozen_string_literal: true

module Ratomic
  module Workers
    # The callable that workers run for a reduction. It calls the user's callable with each item of a chunk ({Runs}) and
    # folds the results at once. So a chunk has one {Partial}. It stands in the slot of the first item that needs none
    # for itself, because its result is in the sum or its Failure is only counted. The slots of the other items have a
    # {Vacancy} or a {Failure}.
    #
    # @api private
    class Fold
      # @return [Object] the user's
      attr_reader :callable

      # @param max_failures [Integer] how many Failures of a chunk are kept
      # @param falls_back [Boolean] whether Failures are always kept that come from running in a Ractor
      def initialize(callable, max_failures, falls_back)
        @callable = callable
        @max_failures = max_failures
        @falls_back = falls_back
        freeze
      end

      # The key for what the pool learns of costs: another one than that of the callable alone, and the same in the next
      # reduction.
      # @return [Integer] no object has such an id
      def key
        -Reflection.id_of(Around === @callable ? @callable.callable : @callable)
      end

      # Runs one item alone. The pool makes a Failure of what it raises.
      # @return [Partial, Vacancy, Failure]
      def call(item)
        case result = @callable.call(item)
        when Vacancy then DROPPED
        when Failure then result
        else Partial.new(add(fresh, result), 1, FailureLimit::NONE)
        end
      end

      # @param items [Array]
      # @return [Array] as for {Runs}
      def call_many(items)
        results = results_of(items)
        slots = Array.new(items.size, FOLDED)
        limit = FailureLimit.new(@max_failures, @falls_back)
        sum = fresh
        count = 0
        items.each_with_index do |item, index|
          result = results ? results[index] : @callable.call(item)
          case result
          when Vacancy then slots[index] = DROPPED
          when Failure then slots[index] = limit.keep(result)
          else
            sum = add(sum, result)
            count += 1
          end
        rescue UserException => e
          slots[index] = limit.keep(Failure.from(e, nil))
        end
        place = slots.index(FOLDED)
        slots[place] = Partial.new(sum, count, limit.omitted) if place
        slots
      end

      private

      # @return [Array, nil] nil where there is no run, or it has raised
      def results_of(items)
        Runs.results(@callable, items) if Runs.takes?(@callable)
      rescue UserException
        nil
      end

      # Keeps some Failures of a chunk, and counts the rest.
      class FailureLimit
        NONE = {}.freeze

        # @param max_failures [Integer]
        # @param falls_back [Boolean] see {Fold#initialize}
        def initialize(max_failures, falls_back)
          @left = max_failures
          @falls_back = falls_back
          @omitted = nil
        end

        # @return [Failure, Vacancy] what stands in the place of its item; the pool gives a Failure the item's index
        def keep(failure)
          return failure if (@left -= 1) >= 0 || (@falls_back && Remedy.of_ractor?(failure))

          (@omitted ||= Hash.new(0))[failure.exception_class] += 1
          FOLDED
        end

        # @return [Hash{String => Integer}] the Failures that were not kept, by the class of the exception
        def omitted
          @omitted ? @omitted.freeze : NONE
        end
      end

      # Folds with a block of the user's.
      class OfBlock < self
        # @param initial [Initial]
        def initialize(callable, max_failures, falls_back, initial, block, merge)
          @initial = initial
          @block = block
          @merge = merge
          super(callable, max_failures, falls_back)
        end

        def fresh
          @initial.fresh
        end

        def add(sum, result)
          @block.call(sum, result)
        end

        def merge(sum, other)
          @merge.call(sum, other)
        end
      end

      # Folds with the callable's own methods.
      class OfObject < self
        def initialize(callable, max_failures, falls_back)
          @adds = Reflection.responds?(callable, :add)
          super
        end

        def fresh
          @callable.initial
        end

        def add(sum, result)
          @adds ? @callable.add(sum, result) : @callable.merge(sum, result)
        end

        def merge(sum, other)
          @callable.merge(sum, other)
        end
      end
    end
    private_constant :Fold
  end
end
