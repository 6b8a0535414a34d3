# frozen_string_literal: true

module Ratomic
  module Workers
    # Finds, in compiled code, constants that are read from the callable itself or from its class, and not by the
    # lexical rules: `self::LIST`, `self.class::LIST`, `const_get(:LIST)`, `self.class.const_get(:LIST)`.
    class OwnConstants
      # @param callable [#call]
      def initialize(callable)
        @scope = Module === callable ? callable : Reflection.class_of(callable)
        @self = Module === callable
        @before = []
      end

      # @param instruction [Array] name and operands of the next instruction
      # @return [Symbol, nil] the name of the constant, if the instruction reads one in such a way
      def follow(instruction)
        name = name_in(@before, instruction)
        @before = [*@before.last(2), instruction]
        name
      end

      # @return [Array] the value of the constant; empty if there is none, or if it has an autoload (this search must
      #   not load a file)
      # @raise [Ractor::IsolationError] in another Ractor than the main one, if the constant may not be read there
      def values(name)
        @scope.autoload?(name) || !@scope.const_defined?(name) ? [] : [@scope.const_get(name)]
      end

      private

      # YARD 0.9.28 cannot read pattern matching here.
      def name_in(before, instruction)
        put, value = before.last
        return unless put == :putobject && own?(before[0..-2])

        kind, operand = instruction
        return (operand if value == false) if kind == :getconstant

        value if Symbol === value && kind == :opt_send_without_block && operand[:mid] == :const_get
      end

      # Whether these instructions push the callable (if it is a module) or its class.
      def own?(instructions)
        return instructions.last == [:putself] if @self

        instructions in [[:putself], [:opt_send_without_block, { mid: :class, orig_argc: 0 }, *]]
      end
    end
  end
end
