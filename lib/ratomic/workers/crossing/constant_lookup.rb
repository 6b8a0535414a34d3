# frozen_string_literal: true

module Ratomic
  module Workers
    # What a constant in a piece of code stands for, found as Ruby finds it: first in the modules around the code, then
    # in what the innermost inherits, which ends with Object.
    class ConstantLookup
      # @param code [RubyVM::InstructionSequence]
      # @param owner [Module, nil] of the method
      def initialize(code, owner)
        @code = code
        @owner = owner
      end

      # @param names [Array<Symbol>] as they are written, "" before a leading `::`
      # @return [Array] one value, or none; where nobody can tell which modules are around (Nesting), what it may be
      # @raise [Ractor::IsolationError] in another Ractor than the main one, if it may not be read there
      def values(names)
        return dig([Object], names.drop(1)) if names[0] == :""

        around = LexicalScope.of(@code)
        around ? dig([innermost(around, names[0])], names) : dig(guessed, names)
      rescue NameError, TypeError
        []
      end

      # @param name [Symbol] of a class variable
      # @return [Array] as of {#values}
      # @raise [Ractor::IsolationError] as of {#values}
      def class_variable(name)
        around = LexicalScope.of(@code)
        scopes = around ? [around.find { |scope| !scope.singleton_class? }] : guessed
        scopes.filter_map { |scope| [scope.class_variable_get(name)] if scope.class_variable_defined?(name) }.flatten(1)
      rescue NameError
        []
      end

      private

      # Nothing is loaded for it.
      def dig(scopes, names)
        names.inject(scopes) do |found, name|
          found.grep(Module).filter_map do |from|
            [from.const_get(name)] if !from.autoload?(name) && from.const_defined?(name)
          end.flatten(1)
        end
      end

      def innermost(around, name)
        around.find { |scope| !scope.equal?(Object) && scope.const_defined?(name, false) } ||
          around.find { |scope| !scope.singleton_class? }
      end

      # By the owner's name.
      def guessed
        return [Object] unless Module === @owner

        parts = Reflection.name_of(@owner).split("::")
        outer = (1..parts.size).map { |n| parts.first(n).join("::") }.select { |name| Object.const_defined?(name) }
        ([@owner] | outer.map { |name| Object.const_get(name) }.grep(Module)) | [Object]
      end
    end
  end
end
