# frozen_string_literal: true

module Ratomic
  module Workers
    # Says why an object can be neither shared nor copied, so that its owner can change it.
    module UnshareableReason
      OF_SYMBOL = "the Proc of a Symbol (&:name) is shareable only after Ractor.make_shareable"
      # An object with methods of its own (`def object.name`) on Ruby 4.1. It could be frozen where it is. That is not
      # advised, because $LOAD_PATH has singleton methods too.
      OF_SINGLETON = "this Ruby copies no object with singleton methods"
      SINGLETON = /\Acan not copy #<Class:#</
      private_constant :SINGLETON

      class << self
        # Whether the proc was made of a Symbol.
        # @param block [Proc]
        def symbol?(block)
          block.source_location.nil? && block.lambda? && block.inspect.include?("(&:")
        end

        # @return [String, nil] nil if the object can be shared or copied
        def of(object)
          because(object, attempt(object))
        end

        # Whether the object can be neither shared nor copied.
        def of?(object)
          !attempt(object).nil?
        end

        private

        # @return [Exception, nil]
        def attempt(object)
          FrozenCopy.of(object)
          nil
        rescue UserException => e
          e
        end

        def because(object, error)
          case error
          when nil then nil
          when SystemStackError then "the stack ended in it"
          when ShareableError then error.message
          else words(object) || unable(error) || "freezing or copying it raises #{said(error)}"
          end
        end

        def words(object)
          case object
          when Time then zone(object.zone)
          when Proc then proc_words(object)
          when Method then "the receiver of a Method must be shareable, and this one is not copied"
          end
        end

        def zone(zone)
          "its zone (an instance of #{Reflection.class_name_of(zone)}) is not shareable; " \
            "time.getlocal(time.utc_offset) and time.getutc are"
        end

        # Ruby's reason not to share the proc: a variable outside of it, or its self.
        def proc_words(block)
          return OF_SYMBOL if symbol?(block)

          RACTORS ? Ractor.shareable_proc(self: nil, &block) : Ractor.make_shareable(block, copy: true)
          "its self is not shareable"
        rescue StandardError => e
          return "Ruby does not share a Proc composed, curried, or made from a Method or a Hash" if odd?(block, e)

          TypeError === e ? "Ruby cannot copy a Proc" : e.message
        end

        def odd?(block, error)
          error.message.include?("not supported") || (TypeError === error && block.source_location.nil?)
        end

        # Ruby's own refusals, which name a class and no reason.
        def unable(error)
          return "its `freeze` does not freeze it" if error.message.include?("does not freeze")
          return OF_SINGLETON if error.message.match?(SINGLETON)
          return if (error.backtrace_locations || []).any? { |at| %w[freeze initialize_copy].include?(at.base_label) }

          "Ruby can neither share nor copy it" if Ractor::Error === error || error.message.start_with?("allocator")
        rescue UserException
          nil
        end

        def said(error)
          failure = Failure.from(error, nil)
          "#{failure.exception_class}: #{failure.message}"
        end
      end
    end
  end
end
