# frozen_string_literal: true

require_relative "calls"

module Ratomic
  module Workers
    # Reads the compiled code of a callable's `call` (and `call_many`), and of the methods that it calls on itself, for
    # what a worker may not touch: constants that hold something mutable, global variables, class variables, a module's
    # instance variables, calls that are known to fail there. It sees what is written there, not what is called further
    # on; what it finds raises `Ractor::IsolationError` if it is reached.
    #
    # How compiled code looks is not promised (RubyVM::InstructionSequence#to_a). What does not look as expected is not
    # read, and nothing is claimed of it.
    class IsolationLint
      # A constant, variable or call that would raise.
      Finding = Struct.new(:kind, :name, :reason, keyword_init: true) do
        def to_s
          "#{kind} #{name}: #{reason}"
        end
      end

      # Global variables that each Ractor has its own of, or that are local.
      GLOBALS = %i[
        $stdin $stdout $stderr $> $~ $_ $! $@ $? $$ $/ $-0 $VERBOSE $-v $-w $-W $DEBUG $-d $-p $-l $-a $-i
      ].freeze

      FORMAT = "YARVInstructionSequence/SimpleDataFormat"
      # Where to_a has the kind of code (:method, :block), the table of what is done at exceptions, the instructions.
      KIND = 9
      CATCH = 12
      BODY = 13
      # What has its own self, or is only defined.
      APART = %i[definemethod definesmethod defineclass].freeze

      BARE = Calls.without_receiver
      # Whether a constant that is written down is read by one instruction. Where it is, `getconstant` reads those of
      # something that is only known when it runs.
      PATHS = defined?(RubyVM) && RubyVM::INSTRUCTION_NAMES.include?("opt_getconstant_path")
      private_constant :FORMAT, :KIND, :CATCH, :BODY, :APART, :BARE, :PATHS

      # @param callable [#call]
      # @return [Array<Finding>]
      def self.findings(callable)
        Callable.parts(callable).flat_map { |part| new(part).findings }
      end

      # @param callable [#call]
      # @return [Array<Symbol>] names of the instance variables that an object sets when it is called (`@cache ||= {}`):
      #   frozen, it would raise a FrozenError for each item
      def self.state(callable)
        Proc === callable || Module === callable ? [] : new(callable).tap(&:findings).state
      end

      # @return [Array<Symbol>] see {IsolationLint.state}; of what was read so far
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
        return reader(of) unless (code = RubyVM::InstructionSequence.of(of))
        return unless code?(parts = code.to_a)

        @lookup = ConstantLookup.new(code, owner)
        made_of_proc(of, code) if Method === of && parts[KIND] == :block
        walk(parts)
      rescue StandardError, ScriptError, SystemStackError # another format than the one that is known
        nil
      end

      # A method written in C has no code, and no place; what `attr_reader` made has a place.
      def reader(method)
        return unless Method === method && method.source_location && method.arity.zero?

        instance_variable(:"@#{method.original_name}")
      end

      def code?(parts)
        parts.is_a?(Array) && parts[0] == FORMAT && parts[BODY].is_a?(Array)
      end

      def made_of_proc(method, code)
        return if RactorCapabilities.callable?(@callable, method)

        found("method", method.name, "was made of the proc at #{code.path}:#{code.first_lineno} (define_method), " \
                                     "which is not shareable; #{Remedy::UNSHAREABLE_PROC}")
      end

      # An instruction is an Array that begins with its name; a block's code is nested in the operands, that of a rescue
      # in the table of those.
      def walk(code)
        calls = Calls.new { |*call| known_call(*call) }
        own = OwnConstants.new(@callable)
        code[BODY].each do |part|
          calls.label if part.is_a?(Symbol) && part.start_with?("label")
          next if !part.is_a?(Array) || APART.include?(part[0])

          look_at(part)
          calls.follow(part)
          own.follow(part)&.then { |name| constant([name]) { own.values(name) } }
          inside(part)
        end
        code[CATCH].each { |entry| inside(entry) } if code[CATCH].is_a?(Array)
      end

      def inside(parts)
        parts.each { |part| walk(part) if code?(part) } if parts.is_a?(Array)
      end

      def look_at(instruction)
        case instruction
        in [:opt_getconstant_path, [*names], *] then constant(names)
        in [:getconstant, Symbol => name, *] then constant([name]) unless PATHS
        in [:getglobal | :setglobal, Symbol => name, *] then global(name)
        in [:getclassvariable, Symbol => name, *] then class_variable(name, :class_variable_get)
        in [:setclassvariable, Symbol => name, *] then class_variable(name, :class_variable_set)
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

      # @yieldreturn [Array] its value; without a block it is looked up by where it is written
      def constant(names)
        unshareable("constant", names.join("::")) { block_given? ? yield : @lookup.values(names) }
      end

      # @yieldreturn [Array] its value, or what it may be
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

      # Where it may be read, but not all that it may hold.
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
