# frozen_string_literal: true

module Ratomic
  module Workers
    # Constants in compiled code that are read of the callable or its class, and not by where they are written:
    # `self::LIST`, `self.class::LIST`, `const_get(:LIST)`, `self.class.const_get(:LIST)`.
    class OwnConstants
      # @param callable [#call]
      def initialize(callable)
        @scope = Module === callable ? callable : Reflection.class_of(callable)
        @self = Module === callable
        @before = []
      end

      # @param instruction [Array] of a name and operands; the next one
      # @return [Symbol, nil] the name of a constant that it reads
      def follow(instruction)
        name = name_in(@before, instruction)
        @before = [*@before.last(2), instruction]
        name
      end

      # @return [Array] its value, or nothing; nothing is loaded for it
      # @raise [Ractor::IsolationError] in another Ractor than the main one, if it may not be read there
      def values(name)
        @scope.autoload?(name) || !@scope.const_defined?(name) ? [] : [@scope.const_get(name)]
      end

      private

      # Without pattern matching, which YARD 0.9.28 cannot read here.
      def name_in(before, instruction)
        put, value = before.last
        return unless put == :putobject && own?(before[0..-2])

        kind, operand = instruction
        return (operand if value == false) if kind == :getconstant

        value if Symbol === value && kind == :opt_send_without_block && operand[:mid] == :const_get
      end

      # Whether these put the module there whose constant it is.
      def own?(instructions)
        return instructions.last == [:putself] if @self

        instructions in [[:putself], [:opt_send_without_block, { mid: :class, orig_argc: 0 }, *]]
      end
    end
  end
end
