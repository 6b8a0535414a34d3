# frozen_string_literal: true

module Ratomic
  module Workers
    # The form of RubyVM::InstructionSequence#to_a, as far as the library reads it. It is not promised: whoever reads it
    # asks {CompiledCode.code?} first, and takes what does not look as expected for unknown.
    module CompiledCode
      FORMAT = "YARVInstructionSequence/SimpleDataFormat"
      # Indexes in the Array of to_a: the kind of code (:method, :block), the table of exception handlers, the
      # instructions.
      KIND = 9
      CATCH = 12
      BODY = 13

      # @param parts [Object]
      # @return [Boolean] whether that is code in the form that is known
      def self.code?(parts)
        marked?(parts) && Array === parts[BODY]
      end

      # @return [Boolean] whether that says that it is code
      def self.marked?(parts)
        Array === parts && parts[0] == FORMAT
      end
    end
  end
end
