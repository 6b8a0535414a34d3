# frozen_string_literal: true

require_relative "calls"
require_relative "compiled_code"

module Ratomic
  module Workers
    # Searches the compiled code of a callable for what raises `Ractor::IsolationError` in a Ractor: constants that hold
    # a mutable object, global variables, class variables, a module's instance variables, and calls that are known to
    # fail there. It reads the methods `call` and `call_many`, and the methods that they call on `self`. It does not
    # follow calls of other objects. It cannot tell whether the code is ever reached.
    #
    # Ruby does not promise the format of compiled code (RubyVM::InstructionSequence#to_a). Code in another format than
    # the one known here is skipped, without a finding.
    class IsolationLint
      # A constant, variable or call that would raise in a Ractor.
      Finding = Struct.new(:kind, :name, :reason, keyword_init: true) do
        def to_s
          "#{kind} #{name}: #{reason}"
        end
      end

      # Global variables that a Ractor may use: each Ractor, method or thread has one of its own.
      GLOBALS = %i[
        $stdin $stdout $stderr $> $~ $_ $! $@ $? $$ $/ $-0 $VERBOSE $-v $-w $-W $DEBUG $-d $-p $-l $-a $-i
      ].freeze

      # Instructions that define a method or class. Their code has another `self`, or does not run with the callable.
      APART = %i[definemethod definesmethod defineclass].freeze

      BARE = Calls.without_receiver
      # Whether this Ruby reads a constant like `A::B` with one instruction. If so, `getconstant` occurs only where the
      # module is computed at run time (`self.class::LIST`).
      PATHS = defined?(RubyVM) && RubyVM::INSTRUCTION_NAMES.include?("opt_getconstant_path")
      private_constant :APART, :BARE, :PATHS

      # @param callable [#call]
      # @return [Array<Finding>]
      def self.findings(callable)
        Callable.parts(callable).flat_map { |part| new(part).findings }
      end

      # @param callable [#call]
      # @return [Array<Symbol>] names of the instance variables that the object sets when it is called (`@cache ||=
      #   {}`). If such an object were frozen, each item would raise a FrozenError.
      def self.state(callable)
        Proc === callable || Module === callable ? [] : new(callable).tap(&:findings).state
      end

      # @return [Array<Symbol>] as {IsolationLint.state}, from the code that was read so far
      attr_reader :state

      def initialize(callable)
        @callable, *@names = Method === callable ? [callable.receiver, callable.name] : [callable, :call, :call_many]
        @findings = []
        @state = []
        @seen = {}
      end

      def findings
        return [] unless defined?(RubyVM::InstructionSequence)

        Proc === @callable ? read(@callable) : @names.each { |name| follow(name) }
        @findings.uniq
      end

      private

      def follow(name)
        return if @seen[name]

        @seen[name] = true
        method = Reflection.method_of(@callable, name)
        before = @lookup
        read(method, method.owner.singleton_class? ? @callable : method.owner)
        @lookup = before
      rescue NameError
        nil
      end

      # @param of [Method, Proc]
      # @param owner [Module, nil] of the method
      def read(of, owner = nil)
        Interrupts.exceptions_deferred do
          next reader(of) unless (code = RubyVM::InstructionSequence.of(of))
          next unless CompiledCode.code?(parts = code.to_a)

          @lookup = ConstantLookup.new(code, owner)
          made_of_proc(of, code) if Method === of && parts[CompiledCode::KIND] == :block
          walk(parts)
        rescue StandardError, ScriptError, SystemStackError # the code has another format than the one known here
          nil
        end
      end

      # Finds the instance variable that a method of `attr_reader` reads. Such a method has a source location and no
      # code; a method written in C has neither.
      def reader(method)
        return unless Method === method && method.source_location && method.arity.zero?

        instance_variable(:"@#{method.original_name}")
      end

      def made_of_proc(method, code)
        return if RactorCapabilities.callable?(@callable, method)

        found("method", method.name, "was made of the proc at #{code.path}:#{code.first_lineno} (define_method), " \
                                     "which is not shareable; #{Remedy::UNSHAREABLE_PROC}")
      end

      # An instruction is an Array that begins with its name. The code of a block is nested in the operands of an
      # instruction; the code of a `rescue` or `ensure` is in the table of exception handlers.
      def walk(code)
        calls = Calls.new { |*call| known_call(*call) }
        own = OwnConstants.new(@callable)
        code[CompiledCode::BODY].each do |part|
          calls.label if part.is_a?(Symbol) && part.start_with?("label")
          next if !part.is_a?(Array) || APART.include?(part[0])

          look_at(part)
          calls.follow(part)
          own.follow(part)&.then { |name| constant([name]) { own.values(name) } }
          inside(part)
        end
        handlers = code[CompiledCode::CATCH]
        handlers.each { |entry| inside(entry) } if handlers.is_a?(Array)
      end

      def inside(parts)
        parts.each { |part| walk(part) if CompiledCode.code?(part) } if parts.is_a?(Array)
      end

      def look_at(instruction)
        case instruction
        in [:opt_getconstant_path, [*names], *] then constant(names)
        in [:getconstant, Symbol => name, *] then constant([name]) unless PATHS
        in [:getglobal | :setglobal, Symbol => name, *] then global(name)
        in [:getclassvariable, Symbol => name, *] then class_variable(name, :read_class_variable)
        in [:setclassvariable, Symbol => name, *] then class_variable(name, :write_class_variable)
        in [:getinstancevariable, Symbol => name, *] then instance_variable(name)
        in [:setinstancevariable, Symbol => name, *] then instance_variable_set_in(name)
        in [:opt_send_without_block | :send | :sendforward, { mid: Symbol, flag: Integer } => sent, *] then call(sent)
        else nil
        end
      end

      def call(sent)
        name = sent[:mid]
        return known(name, :unicode_normalize) if KnownCalls.of_any(name)
        return unless BARE && sent[:flag] & BARE != 0 && name != :initialize # `new` is inlined as a call of that
        return follow(name) unless (question = KnownCalls.of_self(name))

        Reflection.method_of(@callable, name).owner == ::Kernel ? known(name, question) : follow(name)
      rescue NameError
        nil
      end

      # @param receiver [Array, nil] see {Calls}
      def known_call(receiver, name, count)
        kinds = receiver ? @lookup.values(receiver[1]).uniq : []
        return unless kinds.size == 1 && Module === kinds[0]

        question = KnownCalls.of(kinds[0], receiver[0] == :new, name, count)
        known("#{Reflection.name_of(kinds[0])}.#{name}", question) if question
      end

      def known(name, question)
        found("call", name, "fails in a Ractor; #{Remedy.with_row(Remedy::CALLS[question])}")
      end

      # @yieldreturn [Array] the value of the constant. Without a block Ruby's lexical rules find it.
      def constant(names)
        unshareable("constant", names.join("::")) { block_given? ? yield : @lookup.values(names) }
      end

      # @yieldreturn [Array] the value; or all values that it may have, if it is not known which one it has
      def unshareable(kind, name)
        values = yield
        return if values.empty? || values.any? { |value| Ractor.shareable?(value) }

        obstacle = UnshareablePart.in(value = values[0])
        what = obstacle.path.empty? ? "an instance of #{Reflection.class_of(value)} that is not shareable" : obstacle
        found(kind, name, "holds #{what}; #{Remedy.with_row(Remedy.of_constant(value))}")
      rescue Ractor::IsolationError
        found(kind, name, "holds something that is not frozen; #{Remedy.with_row(Remedy::FREEZE)}")
      end

      def global(name)
        GLOBALS.include?(name) ||
          found("global variable", name, "only the main Ractor may use it; #{Remedy.with_row(Remedy::PASS)}")
      end

      def class_variable(name, question)
        return class_variable_in(name) if RACTORS && RactorCapabilities.allowed?(question)

        found("class variable", name, "only the main Ractor may #{question[/set/] || "use"} class variables")
      end

      # Here Ractors may read class variables, so only the value matters.
      def class_variable_in(name)
        unshareable("class variable", name) { @lookup.class_variable(name) }
      end

      def instance_variable(name)
        return unless Module === @callable && @callable.instance_variable_defined?(name)
        return if Ractor.shareable?(@callable.instance_variable_get(name))

        found("instance variable", "#{@callable}.#{name}", "is mutable, and belongs to a module")
      end

      def instance_variable_set_in(name)
        @state |= [name]
        reason = Module === @callable ? "only the main Ractor may set a module's" : Remedy::FROZEN
        found("instance variable", name, "is set: #{reason}")
      end

      def found(kind, name, reason)
        @findings << Finding.new(kind: kind, name: name.to_s, reason: reason)
      end
    end
  end
end
