# frozen_string_literal: true

module Ratomic
  module Workers
    # Finds the value of a constant that is named in a piece of code, in Ruby's order: first the modules around the
    # code, then the ancestors of the innermost one, then Object.
    class ConstantLookup
      # @param code [RubyVM::InstructionSequence]
      # @param owner [Module, nil] of the method
      def initialize(code, owner)
        @code = code
        @owner = owner
      end

      # @param names [Array<Symbol>] the parts of the constant's path; a leading `::` is the part ""
      # @return [Array] the value, or nothing if there is none. If {LexicalScope} cannot tell the modules around the
      #   code, all values that it may have.
      # @raise [Ractor::IsolationError] in another Ractor than the main one, if the constant may not be read there
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

      # Skips constants with an autoload, because this search must not load a file.
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

      # The modules that the method's owner is nested in by its name: `A::B::C`, `A::B`, `A`, Object.
      def guessed
        return [Object] unless Module === @owner

        parts = Reflection.name_of(@owner).split("::")
        outer = (1..parts.size).map { |n| parts.first(n).join("::") }.select { |name| Object.const_defined?(name) }
        ([@owner] | outer.map { |name| Object.const_get(name) }.grep(Module)) | [Object]
      end
    end
  end
end
