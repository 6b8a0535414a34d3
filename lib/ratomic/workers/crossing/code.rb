# frozen_string_literal: true

module Ratomic
  module Workers
    # Reads the compiled code of a callable's `call`, and of the methods that it calls on itself, for what a worker may
    # not touch: constants that hold something mutable, global variables, class variables, a module's instance
    # variables. It sees what is written there, not what is called further on; what it finds raises
    # `Ractor::IsolationError` if it is reached.
    class Code
      # A thing in the way.
      Finding = Struct.new(:kind, :name, :reason, keyword_init: true) do
        def to_s
          "#{kind} #{name}: #{reason}"
        end
      end

      # Global variables that each Ractor has its own of, or that are local.
      GLOBALS = %i[
        $stdin $stdout $stderr $> $~ $_ $! $@ $? $$ $/ $-0 $VERBOSE $-v $-w $-W $DEBUG $-d $-p $-l $-a $-i
      ].freeze

      # Whether a constant that is written down is read by one instruction. Where it is, `getconstant` reads those of
      # something that is only known when it runs.
      PATHS = defined?(RubyVM) && RubyVM::INSTRUCTION_NAMES.include?("opt_getconstant_path")
      # What has its own self, or is only defined.
      APART = %i[definemethod definesmethod defineclass].freeze
      private_constant :PATHS, :APART

      # @param callable [#call]
      # @return [Array<Finding>]
      def self.findings(callable)
        new(callable).findings
      end

      def initialize(callable)
        @callable = callable
        @findings = []
        @seen = {}
      end

      def findings
        return [] unless defined?(RubyVM::InstructionSequence)

        @callable.is_a?(Proc) ? read(RubyVM::InstructionSequence.of(@callable)) : follow(:call)
        @findings.uniq
      end

      private

      def follow(name)
        return if @seen[name]

        @seen[name] = true
        method = Reflection.method_of(@callable, name)
        before = @owner
        @owner = method.owner.singleton_class? ? @callable : method.owner
        read(RubyVM::InstructionSequence.of(method))
        @owner = before
      rescue NameError
        nil
      end

      def read(code)
        walk(code.to_a) if code # a method written in C has none
      end

      # An instruction is an Array that begins with its name; a block's code is nested in the operands.
      def walk(part)
        return if !part.is_a?(Array) || APART.include?(part[0])

        look_at(part) if part[0].is_a?(Symbol)
        part.each { |inner| inner.is_a?(Hash) ? inner.each_value { |value| walk(value) } : walk(inner) }
      end

      def look_at(instruction)
        case instruction
        in [:opt_getconstant_path, [*names], *] then constant(names)
        in [:getconstant, Symbol => name, *] then constant([name]) unless PATHS
        in [:getglobal | :setglobal, Symbol => name, *] then global(name)
        in [:getclassvariable | :setclassvariable, Symbol => name, *]
          found("class variable", name, "only the main Ractor may use class variables")
        in [:getinstancevariable, Symbol => name, *] then instance_variable(name)
        in [:setinstancevariable, Symbol => name, *] then instance_variable_set_in(name)
        in [:opt_send_without_block | :send, { mid: Symbol => name, flag: Integer => flag }, *]
          follow(name) if flag.anybits?(4) && name != :initialize # a call without a receiver; `new` is inlined as one
        else nil
        end
      end

      def constant(names)
        value = resolve(names) { return }
        return if Ractor.shareable?(value)

        obstacle = Obstacle.in(value)
        what = obstacle.path.empty? ? "an instance of #{value.class} that is not frozen" : obstacle
        found("constant", names.join("::"), "holds #{what}; freeze it with Ractor.make_shareable")
      rescue Ractor::IsolationError
        found("constant", names.join("::"), "holds something that is not frozen")
      end

      # Where Ruby would find it from the callable's own code, as far as that can be told from names.
      def resolve(names, &missing)
        names[0] == :"" ? dig(Object, names.drop(1), &missing) : dig(scope_of(names[0]), names, &missing)
      rescue NameError, TypeError
        missing.call
      end

      # Nothing is loaded for it.
      def dig(scope, names, &missing)
        names.inject(scope) do |from, name|
          return missing.call if from.autoload?(name) || !from.const_defined?(name)

          from.const_get(name)
        end
      end

      # The modules around come first, then what the innermost inherits, which ends with Object.
      def scope_of(name)
        scopes.find { |scope| scope.const_defined?(name, false) } || scopes[0]
      end

      def scopes
        return [Object] if @callable.is_a?(Proc)

        parts = Reflection.name_of(@owner).split("::")
        outer = (1..parts.size).map { |n| parts.first(n).join("::") }.select { |name| Object.const_defined?(name) }
        [@owner] | outer.reverse.map { |name| Object.const_get(name) }.grep(Module)
      end

      def global(name)
        found("global variable", name, "only the main Ractor may use it") unless GLOBALS.include?(name)
      end

      def instance_variable(name)
        return unless @callable.is_a?(Module) && @callable.instance_variable_defined?(name)
        return if Ractor.shareable?(@callable.instance_variable_get(name))

        found("instance variable", "#{@callable}.#{name}", "is mutable, and belongs to a module")
      end

      def instance_variable_set_in(name)
        reason = @callable.is_a?(Module) ? "only the main Ractor may set a module's" : "the callable is frozen"
        found("instance variable", name, "is set: #{reason}")
      end

      def found(kind, name, reason)
        @findings << Finding.new(kind: kind, name: name.to_s, reason: reason)
      end
    end
  end
end
