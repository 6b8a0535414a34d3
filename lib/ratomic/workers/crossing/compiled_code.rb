# frozen_string_literal: true

module Ratomic
  module Workers
    # The form of RubyVM::InstructionSequence#to_a, as far as the library reads it. Ruby does not promise this form. So
    # each reader asks {CompiledCode.code?} first, and counts code in any other form as unknown.
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

      # @return [Boolean] whether the Array is marked as code, in whatever form
      def self.marked?(parts)
        Array === parts && parts[0] == FORMAT
      end
    end
  end
end
