# frozen_string_literal: true

module Ratomic
  module Workers
    # Finds the instance variables that a callable sets when it is called (`@cache ||= {}`): frozen, it would raise a
    # FrozenError for each item. It reads the compiled code of `call`, `call_many` and of the object's own methods that
    # they may call. How that looks is not promised; what does not look as expected is not read.
    # @api private
    module OwnState
      BEGINNINGS = %i[call call_many].freeze
      # Methods that are read; more is not worth a message.
      MOST = 100
      private_constant :BEGINNINGS, :MOST

      class << self
        # @param callable [Object]
        # @return [Array<Symbol>] names of the variables
        def of(callable)
          return [] if Proc === callable || Module === callable || !defined?(RubyVM::InstructionSequence)

          names = []
          seen = {}
          left = BEGINNINGS.dup
          while (name = left.shift) && seen.size < MOST
            next if seen[name]

            seen[name] = true
            read(code(callable, name), names, left)
          end
          names.uniq
        rescue UserException
          []
        end

        private

        # @return [Array, nil] nil for what is not there, or is not written in Ruby
        def code(callable, name)
          method = Reflection.method_of(callable, name)
          RubyVM::InstructionSequence.of(method)&.to_a unless method.owner == Kernel
        rescue NameError
          nil
        end

        # Through all of it, also the blocks in there.
        def read(part, names, calls)
          case part
          when Array
            names << part[1] if part[0] == :setinstancevariable && Symbol === part[1]
            part.each { |inner| read(inner, names, calls) }
          when Hash
            calls << part[:mid] if Symbol === part[:mid]
          end
        end
      end
    end
    private_constant :OwnState
  end
end
