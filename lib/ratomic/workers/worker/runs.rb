# frozen_string_literal: true

module Ratomic
  module Workers
    # Items that are handed to the callable all at once: the whole chunk goes to `call_many(items)`, where the callable
    # has that, as COPY parsers and batch decoders do. `items` is a frozen Array; what comes back is an Array with a
    # result for each, of which any may be {DROPPED}, or a {Failure} without an index (`Failure.from(error, nil)`),
    # which gets that of its item.
    #
    # When `call_many` raises, or ends its thread or its worker, the items are run again one by one, with `call`, so
    # that the one at fault is found. So what `call_many` has done to the world outside by then is done twice. One by
    # one they are run as well where each has its time (`item_timeout:`), where one could not cross, and where they were
    # lost with a worker. A dispatch that is cancelled meanwhile, or whose time is up, has no results of a run that is
    # not over.
    module Runs
      # @return [Boolean]
      def self.takes?(callable)
        Reflection.responds?(callable, :call_many)
      end

      # @param items [Array] frozen
      # @param first [Integer] index of the first
      # @return [Array] of as many results; what is no such Array is a {Failure} of each item, since no item is at fault
      # @raise what the callable raises
      def self.results(callable, items, first)
        results = callable.call_many(items)
        return misfits(callable, items, first, results) unless Array === results && results.size == items.size
        return results unless results.any?(Failure)

        results.each_with_index.map do |result, place|
          Failure === result && result.index.nil? ? result.at(first + place) : result
        end
      end

      # Whether there are Failures among the results, or are counted in there.
      def self.failed?(callable, results)
        return true if results.any?(Failure)
        return false unless Fold === callable

        partial = results.find { |result| Partial === result }
        partial ? !partial.more.empty? : false
      end

      def self.misfits(callable, items, first, results)
        what = Array === results ? "#{results.size} results" : "an instance of #{Reflection.class_name_of(results)}"
        failure = Failure.new(nil, CallableError.name,
                              "call_many of #{Callable.label(callable)} returned #{what} for #{items.size} items; " \
                              "it must return an Array with a result for each")
        items.each_index.map { |place| failure.at(first + place) }
      end
      private_class_method :misfits
    end
  end
end
