# frozen_string_literal: true

require_relative "errors"
require_relative "failed"

module Demo
  # Compares the results of a mode with those of the sequential run: deeply, in order; failures by class and message.
  module Comparison
    module_function

    # @param expected [Array] the sequential results
    # @param results [Array]
    # @param label [String] who made the results, for the message
    # @raise [Mismatch] that names the first place that differs
    def check(expected, results, label)
      unless expected.size == results.size
        raise Mismatch, "#{label}: #{results.size} results where the sequential run has #{expected.size}"
      end

      expected.each_index do |index|
        next if same?(expected[index], results[index])

        raise Mismatch, "#{label}: result #{index} is #{brief(results[index])}, " \
                        "but the sequential run has #{brief(expected[index])}"
      end
    end

    def same?(one, other)
      return one == other unless Failed.in?(one) && Failed.in?(other)

      identity(one) == identity(other)
    end

    # A number that is the same for equal results, so that a measured round can be checked without keeping the
    # sequential results alive: they would be more work for every collection.
    def fingerprint(results)
      results.map { |result| Failed.in?(result) ? identity(result).hash : result.hash }.hash
    end

    def identity(failure)
      [failure.exception_class.to_s, failure.message]
    end

    def brief(result)
      text = Failed.in?(result) ? identity(result).join(": ") : result.inspect
      text.size > 70 ? "#{text[0, 70]}..." : text
    end
  end
end
