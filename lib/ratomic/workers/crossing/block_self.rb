# frozen_string_literal: true

require_relative "../scheduling/bounded_cache"
require_relative "calls"
require_relative "compiled_code"

module Ratomic
  module Workers
    # What a block uses of the object in whose method it is written. If that object cannot be shared, self is nil in the
    # worker. An instance variable would be nil there without a word, and the result wrong.
    #
    # It reads the compiled code, as {IsolationLint} does. A block inside of the block may have another self: in a call
    # of {REBINDING} it surely has; in another call, of which that is not known, a variable or method counts only if the
    # object has it. What is named by a Symbol or a String (`send`, `instance_variable_get`) is not found.
    class BlockSelf
      # Instructions that define a method or class, whose code has another self.
      APART = %i[definemethod definesmethod defineclass].freeze
      # Methods whose block gets another self.
      REBINDING = %i[
        instance_eval instance_exec class_eval class_exec module_eval module_exec define_method define_singleton_method
        new define
      ].freeze
      BARE = Calls.without_receiver
      NOTHING = [].freeze
      # What was read, by the id of the code: a program may dispatch the same block often, each time as a new proc.
      FOUND = BoundedCache.new
      private_constant :APART, :REBINDING, :BARE, :NOTHING, :FOUND

      class << self
        # @param block [Proc]
        # @param receiver [Object] its self
        # @return [String, nil] the first thing of the receiver that it uses, for a message
        def used(block, receiver)
          code = RubyVM::InstructionSequence.of(block) if defined?(RubyVM::InstructionSequence)
          return if code.nil?

          reads, sets, calls = names(code)
          set = sets.first || reads.find { |name| !Reflection.variable_of(receiver, name).nil? }
          return set.name if set

          call = calls.find { |name| own?(receiver, name) }
          call && "the method #{call}"
        end

        private

        # @return [Array(Array<Symbol>, Array<Symbol>, Array<Symbol>)]
        def names(code)
          id = Reflection.id_of(code)
          FOUND[id] || (FOUND[id] = new(code).names)
        end

        # Whether the receiver has the method, and nil has none or another one: a class may have a `format` of its own.
        def own?(receiver, name)
          !owner(receiver, name).equal?(owner(nil, name))
        end

        # @return [Module, nil] where the object has its method of that name from
        def owner(object, name)
          Reflection.method_of(object, name).owner
        rescue UserException # a NameError, or what a `respond_to_missing?` of its own raises
          nil
        end
      end

      def initialize(code)
        @reads = []
        @sets = []
        @calls = []
        Interrupts.exceptions_deferred do
          walk(code.to_a, true)
        rescue StandardError, ScriptError, SystemStackError # the code has another format than the one known here
          nil
        end
      end

      # @return [Array<Array<Symbol>>] instance variables that are read, that are set, and methods that are called
      def names
        Ractor.make_shareable([@reads, @sets, @calls].map { |list| list.empty? ? NOTHING : list.uniq })
      end

      private

      # @param own [Boolean] whether self is surely that of the block
      def walk(code, own)
        return unless CompiledCode.code?(code)

        code[CompiledCode::BODY].grep(Array).each do |part|
          next if APART.include?(part[0])

          look_at(part, own)
          inside(part, false) unless rebinds?(part)
        end
        handlers = code[CompiledCode::CATCH]
        handlers.each { |entry| inside(entry, own) } if Array === handlers # the code of `rescue` and `ensure`
      end

      def inside(parts, own)
        parts.each { |part| walk(part, own) if CompiledCode.marked?(part) } if Array === parts
      end

      def look_at(instruction, own)
        case instruction
        in [:getinstancevariable, Symbol => name, *] then @reads << name
        in [:setinstancevariable, Symbol => name, *] then (own ? @sets : @reads) << name
        in [:opt_send_without_block | :send | :sendforward, { mid: Symbol => name, flag: Integer => flag }, *]
          @calls << name if BARE && flag.anybits?(BARE) && name != :initialize # `new` is inlined as that
        else nil
        end
      end

      def rebinds?(instruction)
        case instruction
        in [:send | :sendforward, { mid: Symbol => name }, *] then REBINDING.include?(name)
        else false
        end
      end
    end
    private_constant :BlockSelf
  end
end
