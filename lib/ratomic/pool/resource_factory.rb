# frozen_string_literal: true

require_relative "../workers/crossing/compiled_code"

module Ratomic
  class Pool
    # A factory that is not shareable and stays in its Ractor, reduced to the variables that it uses.
    #
    # A block refers to all variables around it. In `pool = Pool.new(5) { [] }` one of them is the pool, which therefore
    # could never be collected as long as anything can call the block. So the block is replaced by an isolated one,
    # which refers to the variables that it uses; and its self is kept only if it uses that.
    class ResourceFactory
      # Instructions with which a block uses its self.
      SELF_INSTRUCTIONS = %i[
        putself getinstancevariable setinstancevariable definedivar getclassvariable setclassvariable defined
        invokesuper invokesuperforward invokebuiltin opt_invokebuiltin_delegate opt_invokebuiltin_delegate_leave
      ].freeze
      # All others that are known not to: of Ruby 4.0, and of 4.1 as it was in August 2026. How compiled code looks is
      # not promised, so a block with any other instruction stays as it is, and keeps all that is around it.
      # rubocop:disable Naming/VariableNumber
      OTHER_INSTRUCTIONS = %i[
        adjuststack anytostring branchif branchif_without_ints branchnil branchnil_without_ints branchunless
        branchunless_without_ints checkkeyword checkmatch checktype concatarray concatstrings concattoarray dup duparray
        dupchilledstring duphash dupn dupstring expandarray getblockparam getblockparamproxy getconstant getglobal
        getlocal getlocal_WC_0 getlocal_WC_1 getspecial intern invokeblock jump jump_without_ints leave newarray newhash
        newrange nop objtostring once opt_and opt_aref opt_ary_freeze opt_aset opt_case_dispatch opt_div
        opt_duparray_send opt_empty_p opt_eq opt_ge opt_getconstant_path opt_gt opt_hash_freeze opt_le opt_length opt_lt
        opt_ltlt opt_minus opt_mod opt_mult opt_neq opt_new opt_newarray_send opt_nil_p opt_not opt_or opt_plus
        opt_regexpmatch2 opt_reverse opt_send_without_block opt_size opt_str_freeze opt_str_uminus opt_succ pop
        pushtoarray pushtoarraykwsplat putchilledstring putnil putobject putobject_INT2FIX_0_ putobject_INT2FIX_1_
        putspecialobject putstring send setblockparam setconstant setglobal setlocal setlocal_WC_0 setlocal_WC_1 setn
        setspecial splatarray splatkw swap throw topn toregexp
      ].to_h { |name| [name, true] }.freeze
      # rubocop:enable Naming/VariableNumber
      # Calls that reach all variables around the block, also where they are only named: `send(:eval)`.
      SCOPE_CALLS = %i[binding eval instance_eval class_eval module_eval local_variables].freeze
      INSTANCE_EXEC = BasicObject.instance_method(:instance_exec)
                                 .then { |own| RACTORS ? Ractor.make_shareable(own) : own }
      private_constant :SELF_INSTRUCTIONS, :OTHER_INSTRUCTIONS, :SCOPE_CALLS, :INSTANCE_EXEC

      # @param factory [Proc]
      # @return [Proc, ResourceFactory] the factory itself if it is shareable
      def self.of(factory)
        FrozenCopy.shareable?(factory) ? factory : new(factory)
      end

      # @param block [Proc]
      def initialize(block)
        @block = block
        isolate(instructions(block))
      end

      # @return [Object] a new object
      def call
        @self.nil? ? @block.call : INSTANCE_EXEC.bind_call(@self, &@block)
      end

      # The pool has ended: drops the block and what it refers to.
      def forget
        @block = @self = nil
      end

      private

      # @param names [Hash, nil] see {#instructions}
      def isolate(names)
        return if names.nil? || SCOPE_CALLS.any? { |call| names[call] }

        isolated = Ractor.shareable_proc(self: nil, &@block)
        @self = @block.binding.receiver if SELF_INSTRUCTIONS.any? { |instruction| names[instruction] }
        @block = isolated
      rescue ArgumentError, RuntimeError # among them Ractor::IsolationError
        nil # it uses variables that are not shareable or are assigned again, or was made of a method
      end

      # @return [Hash{Symbol => true}, nil] the names of all instructions and calls, and all Symbols, in the code of the
      #   block; nil if it has none, or code of another form than the one that is known
      def instructions(block)
        code = RubyVM::InstructionSequence.of(block) if defined?(RubyVM::InstructionSequence)
        return unless code

        names = {}
        names if read(code.to_a, names)
      end

      # @return [Boolean] whether all of it is known
      def read(code, names)
        return false unless Workers::CompiledCode.code?(code)

        instructions = code[Workers::CompiledCode::BODY].grep(Array)
        parts = [*instructions, *code[Workers::CompiledCode::CATCH]].flatten(1)
        instructions.all? { |instruction| known?(instruction, names) } &&
          parts.all? { |part| !Workers::CompiledCode.marked?(part) || read(part, names) }
      end

      def known?(instruction, names)
        name = instruction[0]
        instruction.flatten.each { |operand| names[Hash === operand ? operand[:mid] : operand] = true }
        names[name] = OTHER_INSTRUCTIONS[name] || SELF_INSTRUCTIONS.include?(name)
      end
    end
  end
end
