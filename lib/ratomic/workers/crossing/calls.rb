# frozen_string_literal: true

module Ratomic
  module Workers
    # Finds calls in compiled code whose receiver is a constant, or a new object of a class that a constant names:
    # `JSON.load(text)`, `ERB.new(t).result`. The receiver may be in a local variable.
    #
    # It simulates the VM's stack, one instruction after another. At a jump, a label, or an instruction that it does not
    # know, it begins again with an empty stack.
    class Calls
      # Instructions that push one object; and instructions that take some and push one. The first operand is their
      # number.
      PUSHES = /\A(?:putnil|putself|putobject.*|(?:put|dup)(?:chilled)?string|dup(?:array|hash)|getinstancevariable)\z/
      TAKES = { newarray: 1, newhash: 1, concatstrings: 1 }.freeze
      private_constant :PUSHES, :TAKES

      # The bit of a call's flags that is set if the call has no receiver. It is found by compiling two calls that
      # differ only in that, because its value differs between Rubies.
      # @return [Integer, nil]
      def self.without_receiver
        return unless defined?(RubyVM::InstructionSequence)

        bare, other = ["foo()", "self.x.foo()"].map do |text|
          RubyVM::InstructionSequence.compile(text).to_a.last.grep(Array).filter_map do |_, call|
            call[:flag] if call.is_a?(Hash) && call[:mid] == :foo
          end.first
        end
        bit = bare & ~other
        bit if bit.positive? && (bit & (bit - 1)).zero?
      rescue StandardError, ScriptError
        nil
      end

      # @yieldparam receiver [Array(Symbol, Array<Symbol>), nil] [:constant, names], or [:new, names] for a new object
      #   of that class; nil if it is not known
      # @yieldparam name [Symbol] of the method
      # @yieldparam count [Integer] arguments
      def initialize(&found)
        @found = found
        forget
      end

      # At a label the stack is not known: the VM may jump to it from another place.
      def label
        forget unless @made
      end

      # @param instruction [Array] of a name and operands
      def follow(instruction)
        return finish_new(instruction[0]) if @made

        case instruction
        in [:opt_getconstant_path, [*names], *] then @stack.push([:constant, names])
        in [:swap] then swap
        in [:pop] then @stack.pop
        in [:nop] then nil
        in [:dup] then @stack.push(@stack.last)
        in [:opt_new, { orig_argc: Integer } => sent, *] then begin_new(count(sent))
        in [:opt_send_without_block, { mid: Symbol => name, orig_argc: Integer } => sent] then call(name, count(sent))
        in [:send, { mid: Symbol => name, orig_argc: Integer } => sent, Array] then call(name, count(sent))
        in [/\Agetlocal/, *place] then @stack.push(@locals[place])
        in [/\Asetlocal/, *place] then @locals[place] = @stack.pop
        in [Symbol => name, *operands] then other(name, operands)
        end
      rescue NoMatchingPatternError
        forget
      end

      private

      # `orig_argc` does not count keyword arguments.
      def count(sent)
        sent[:orig_argc] + (sent[:kw_arg] || []).size
      end

      def forget
        @stack = []
        @locals = {}
        @made = nil
      end

      def swap
        top, below = @stack.pop(2).reverse
        @stack.push(top, below)
      end

      def call(name, count)
        receiver = @stack[-(count + 1)] if @stack.size > count
        @found.call(receiver, name, count)
        @stack.pop(count + 1)
        made = name == :new && receiver && receiver[0] == :constant
        @stack.push(made ? [:new, receiver[1]] : nil)
      end

      # Ruby compiles `new` into two branches, one of them for a class with a `new` of its own. They end with a swap and
      # a pop. The instructions before those are skipped.
      def begin_new(count)
        receiver = @stack[-(count + 1)] if @stack.size > count
        @found.call(receiver, :new, count)
        @stack.pop(count + 2)
        @made = [:new, receiver && receiver[0] == :constant ? receiver[1] : nil]
      end

      def finish_new(name)
        return unless name == :pop

        @stack.push(@made[1] && @made)
        @made = nil
      end

      def other(name, operands)
        if PUSHES.match?(name)
          @stack.push(nil)
        elsif TAKES.key?(name) && operands[0].is_a?(Integer)
          @stack.pop(operands[0])
          @stack.push(nil)
        else
          forget
        end
      end
    end
  end
end
