# frozen_string_literal: true

module Ratomic
  module Workers
    # Runs all items of a chunk in one call, `call_many(items)`, if the callable has that method (COPY parsers and batch
    # decoders do). `items` is a frozen Array. `call_many` returns an Array with a result for each item. A result may be
    # {DROPPED} or a {Failure} (`Failure.from(error, nil)`), as that of `call`.
    #
    # If `call_many` raises, or ends its thread or its worker, the items are run again one by one with `call`, to find
    # the one at fault. So side effects of the failed `call_many` happen twice. Items are also run one by one if each
    # has a time limit (`item_timeout:`), if one of them could not cross, and if they were lost with a worker. If the
    # dispatch is cancelled or its time is up, a `call_many` that has not returned has no results.
    module Runs
      # @return [Boolean]
      def self.takes?(callable)
        Reflection.responds?(callable, :call_many)
      end

      # @param items [Array] frozen
      # @return [Array] a result for each item. If `call_many` returns anything else, each item gets a {Failure}, since
      #   no single item is at fault.
      # @raise what the callable raises
      def self.results(callable, items)
        results = callable.call_many(items)
        Array === results && results.size == items.size ? results : misfits(callable, items, results)
      end

      # Whether there are Failures among the results, or counted in a {Partial}.
      def self.failed?(callable, results)
        return true if Failures.any?(results)
        return false unless Fold === callable

        partial = results.find { |result| Partial === result }
        partial ? !partial.omitted.empty? : false
      end

      def self.misfits(callable, items, results)
        what = Array === results ? "#{results.size} results" : "an instance of #{Reflection.class_name_of(results)}"
        failure = Failure.new(nil, CallableError.name,
                              "call_many of #{Callable.label(callable)} returned #{what} for #{items.size} items; " \
                              "it must return an Array with a result for each")
        Array.new(items.size, failure)
      end
      private_class_method :misfits
    end
  end
end
