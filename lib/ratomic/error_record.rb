# frozen_string_literal: true

require_relative "value_object"

module Ratomic
  # Stands for an exception that is stored or sent as data: in a Map or a Queue, among items or results. An exception
  # that was raised refers to the stack that it came from, so it can neither be shared nor copied. An exception that
  # refers to an IO or a Thread cannot either. The record is frozen and shareable, and has the texts of the exception.
  #
  #   MAP[:last] = error
  #   MAP[:last].exception_class # => "KeyError"
  #
  # It is not a {Workers::Failure}: an item that returns an exception has not failed.
  class ErrorRecord
    include ValueObject

    # @return [String] name of the exception's class
    attr_reader :exception_class
    # @return [String]
    attr_reader :message
    # @return [Array<String>] at most {Workers::Failure::MAX_BACKTRACE_LINES} lines
    attr_reader :backtrace
    # @return [ErrorRecord, nil]
    attr_reader :cause

    # @param error [Exception] left as it is
    # @return [ErrorRecord]
    # @raise [TypeError]
    def self.of(error)
      raise TypeError, "the error must be an Exception, not #{Reflection.class_of(error)}" unless Exception === error

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
