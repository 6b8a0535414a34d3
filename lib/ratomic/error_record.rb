# frozen_string_literal: true

require_relative "value_object"

module Ratomic
  # What stands for an exception that is stored or handed on as data: in a Map or a Queue, among items or results. An
  # exception that was raised refers to the stack that it came from, and can neither be shared nor copied; nor can one
  # that has something like an IO or a Thread in it. Its record is frozen, shareable, and has its words.
  #
  #   MAP[:last] = error
  #   MAP[:last].exception_class # => "KeyError"
  #
  # It is no {Workers::Failure}: the item that returns an exception has not failed.
  class ErrorRecord
    include ValueObject

    # @return [String] name of the exception's class
    attr_reader :exception_class
    # @return [String]
    attr_reader :message
    # @return [Array<String>] at most {Workers::Failure::BACKTRACE_LINES} lines
    attr_reader :backtrace
    # @return [ErrorRecord, nil]
    attr_reader :cause

    # @param error [Exception] left as it is
    # @return [ErrorRecord]
    def self.of(error)
      new(Workers::Failure.from(error, nil))
    end

    # @param failure [Workers::Failure]
    # @api private
    def initialize(failure)
      @exception_class = failure.exception_class
      @message = failure.message
      @backtrace = failure.backtrace
      @cause = failure.cause && ErrorRecord.new(failure.cause)
      freeze
    end

    # @return [Hash] of exception_class, message, backtrace and cause (a Hash as well)
    def to_h
      { exception_class: exception_class, message: message, backtrace: backtrace, cause: cause&.to_h }
    end

    # @return [String] "KeyError: key not found"
    def to_s
      "#{exception_class}: #{message}"
    end
  end
end
