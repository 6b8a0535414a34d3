# frozen_string_literal: true

module Ratomic
  class Pool
    # A factory that is not shareable and stays in its Ractor, reduced to the variables that it uses.
    #
    # A block refers to all variables around it. In `pool = Pool.new(5) { [] }` one of them is the pool, which therefore
    # could never be collected as long as anything can call the block. So the block is replaced by an isolated one,
    # which refers to the variables that it uses; and its self is kept only if it uses that.
    class ResourceFactory
      # Instructions with which a block uses its self.
      SELF = %i[
        putself getinstancevariable setinstancevariable definedivar getclassvariable setclassvariable defined
        invokesuper invokesuperforward opt_invokebuiltin_delegate opt_invokebuiltin_delegate_leave
      ].freeze
      # Instructions and calls that reach all variables around the block, or define methods: such a block stays as it
      # is.
      OPAQUE = %i[binding eval instance_eval class_eval module_eval local_variables definemethod definesmethod].freeze
      EXEC = BasicObject.instance_method(:instance_exec).then { |own| RACTORS ? Ractor.make_shareable(own) : own }
      private_constant :SELF, :OPAQUE, :EXEC

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
        @self.nil? ? @block.call : EXEC.bind_call(@self, &@block)
      end

      # The pool has ended: drops the block and what it refers to.
      def forget
        @block = @self = nil
      end

      private

      def isolate(code)
        return if code.nil? || code.intersect?(OPAQUE)

        isolated = Ractor.shareable_proc(self: nil, &@block)
        @self = @block.binding.receiver if code.intersect?(SELF)
        @block = isolated
      rescue ArgumentError, RuntimeError # among them Ractor::IsolationError
        nil # it uses variables that are not shareable or are assigned again, or was made of a method
      end

      # @return [Array<Symbol>, nil] all names in the code of the block; nil if it has none
      def instructions(block)
        code = RubyVM::InstructionSequence.of(block) if defined?(RubyVM::InstructionSequence)
        code&.to_a&.flatten&.filter_map do |part|
          case part
          when Symbol then part
          when Hash then part[:mid]
          end
        end
      end
    end
  end
end
