# frozen_string_literal: true

require "ratomic"
require_relative "failed"

module Demo
  # A job done by hand: all items one after the other. What the sequential run, the bare Ractors and the forked
  # processes do; with no keyword arguments, since it runs in Ractors.
  module Work
    # @param items [Array]
    # @param callable [#call] see {Job#by_hand}
    # @return [Array] the results that were not dropped, a {Failed} for an item that raised; or one sum
    def self.all(items, callable)
      return [sum(items, callable)] if callable.respond_to?(:merge)

      kept = []
      items.each do |item|
        result = Failed.guard(callable, item)
        kept << result unless Ratomic::Workers::DROPPED.equal?(result)
      end
      kept
    end

    # @return [Object]
    def self.sum(items, callable)
      total = callable.initial
      items.each { |item| total = callable.merge(total, callable.call(item)) }
      total
    end

    # @param parts [Array<Array>] of results
    # @return [Array] one
    def self.join(parts, callable)
      return parts.flatten(1) unless callable.respond_to?(:merge)

      [parts.flatten(1).inject(callable.initial) { |total, sum| callable.merge(total, sum) }]
    end

    # @param items [Array] shareable
    # @param parts [Integer]
    # @return [Array<Array>] of items, in their order, each of about the same number
    def self.split(items, parts)
      items.each_slice([items.size.fdiv(parts).ceil, 1].max).map(&:freeze)
    end
  end
end
