# frozen_string_literal: true

require_relative "../value_object"
require_relative "runtime/text"

module Ratomic
  module Workers
    # Stands in the place of the result of an item that raised, ran too long, ended its worker or was cancelled. A
    # callable may also return one (`Failure.from(error, nil)`): it counts as failed, and gets the index of its item. A
    # Failure is frozen and shareable. It holds only Strings, all in UTF-8, because an exception loses its backtrace on
    # the way from one Ractor to another.
    #
    # If one cause ends many items (a cancelled dispatch can have millions), it is stored once. The Failures of the
    # items are made when the results are asked for, and differ only in their index.
    class Failure
      include ValueObject

      # The part that Failures with the same cause share: all except the index.
      Account = Struct.new(:exception_class, :message, :backtrace, :cause, :stage)
      private_constant :Account

      # Lines of a backtrace that are kept; a stack that overflowed has thousands.
      MAX_BACKTRACE_LINES = 50
      # Characters of a message that are kept. Some messages show the whole object: that of a FrozenError of an item of
      # 1 MB has 3 MB, and so would the Failure of each such item, the statistics, and the log.
      MAX_MESSAGE_CHARACTERS = 10_000
      # Levels of causes that are kept.
      MAX_CAUSES = 8
      STAGE = :@__ratomic_stage__
      private_constant :STAGE

      # @return [Integer, nil] place of the item in the dispatch, from 0
      attr_reader :index

      class << self
        # @param error [Exception]
        # @param index [Integer, nil]
        # @return [Failure]
        def from(error, index, depth = 0)
          deeper = cause_of(error) if depth < MAX_CAUSES
          new(index, Reflection.class_name_of(error), message_of(error), backtrace_of(error),
              deeper && from(deeper, index, depth + 1), Reflection.variable_of(error, STAGE))
        end

        # Notes in an exception which stage of a {Pipeline} has raised it. Of nested stages the innermost is kept.
        # @api private
        def note_stage(error, name)
          return if Reflection.object_frozen?(error) || Reflection.variable_of(error, STAGE)

          Reflection.set_variable(error, STAGE, name)
        end

        private

        # The methods that are called here may be the program's own, and may raise.
        def message_of(error)
          Text.short(error.message.to_s, MAX_MESSAGE_CHARACTERS)
        rescue UserException => e
          "#{own_words(error)} (its message cannot be read: #{Reflection.class_name_of(e)})".lstrip
        end

        # The text that the exception was made with. A class may add to it in `message`, with objects that a worker
        # cannot use (LoadError looks for the gem of that name).
        def own_words(error)
          Text.of(Reflection.message_of(error))
        rescue UserException
          nil
        end

        def backtrace_of(error)
          lines = error.backtrace
          [*lines].map { |line| String.new(line) } if Array === lines
        rescue UserException
          nil
        end

        def cause_of(error)
          cause = error.cause
          cause if Exception === cause
        rescue UserException
          nil
        end
      end

      def initialize(index, exception_class, message, backtrace = nil, cause = nil, stage = nil)
        @index = index
        @account = Account.new(Text.of(exception_class).freeze, Text.short(message, MAX_MESSAGE_CHARACTERS).freeze,
                               shorten(backtrace || []).freeze, cause, stage).freeze
        freeze
      end

      # @return [String] name of the exception's class
      def exception_class
        @account.exception_class
      end

      # @return [String] at most {MAX_MESSAGE_CHARACTERS}
      def message
        @account.message
      end

      # @return [Array<String>] frozen, at most {MAX_BACKTRACE_LINES} lines
      def backtrace
        @account.backtrace
      end

      # @return [Failure, nil] what the exception had as its cause
      def cause
        @account.cause
      end

      # @return [String, nil] name of the {Pipeline}'s stage that raised
      def stage
        @account.stage
      end

      # @return [true] plain results do not have this method, so `result.respond_to?(:failure?)` tells them apart
      def failure?
        true
      end

      # Advice, if the item has done something that Ruby does not allow in a Ractor and another way is known.
      # @return [String, nil]
      def remedy
        Remedy.of(exception_class, message, backtrace) || cause&.remedy
      end

      # @return [String, nil] the row with details in the table of what runs in a worker, such as
      #   "docs/what_runs/4.0.md#json-load"
      def row
        Remedy.row(remedy)
      end

      # The same failure, for another item.
      # @return [Failure]
      def at(index)
        self.class.allocate.place(index, @account)
      end

      # The exception that {Future#value!} raises for this failure.
      # @return [Workers::Error]
      def to_error
        case exception_class
        when CancelledError.name then CancelledError.new(message)
        when ShutdownError.name then ShutdownError.new(message)
        when DispatchTimeoutError.name then DispatchTimeoutError.new(message)
        when ItemTimeoutError.name then ItemTimeoutError.new(self)
        else ItemError.new(self)
        end
      end

      # @return [Hash] of index, exception_class, message, backtrace and cause (a Hash as well), and of the stage where
      #   there is one
      def to_h
        hash = { index: index, exception_class: exception_class, message: message, backtrace: backtrace,
                 cause: cause&.to_h }
        stage ? hash.merge(stage: stage) : hash
      end

      def to_s
        way = remedy && " (#{Remedy.with_row(remedy)})"
        "item #{index || "?"}#{stage && " in #{stage}"}: #{exception_class}: #{message}#{way}"
      end

      protected

      def place(index, account)
        @index = index
        @account = account
        freeze
      end

      private

      def shorten(lines)
        kept = lines.first(MAX_BACKTRACE_LINES).map { |line| Text.of(line).freeze }
        kept << "... #{lines.size - MAX_BACKTRACE_LINES} lines more" if lines.size > MAX_BACKTRACE_LINES
        kept
      end
    end
  end
end
