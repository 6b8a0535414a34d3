# frozen_string_literal: true

require_relative "../crossing/isolation_lint"

module Ratomic
  module Workers
    module Processes
      # Finds the objects that the code of a callable names: its constants and, for a proc, the local variables of the
      # code around it. Like its superclass it reads the code of the callable, and does not follow calls of other
      # objects.
      class NamedObjects < IsolationLint
        # Matches, in the output of `disasm`, the read of a local variable that belongs to an outer block.
        OUTER = /\bgetlocal(?:_WC_[1-9]\d*)?\s+(\w+)@\d+(?!, 0)/
        OWN = /\bgetlocal_WC_0\b/
        private_constant :OUTER, :OWN

        # @param callable [#call]
        # @return [Array<Array(Object, String)>] each with its name
        def self.of(callable)
          Callable.parts(callable).flat_map { |part| new(part).objects }.uniq
        end

        # @return [Array<Array(Object, String)>]
        def objects
          @objects = []
          findings
          outer_variables if Proc === @callable && defined?(RubyVM::InstructionSequence)
          @objects
        end

        private

        def outer_variables
          around = @callable.binding
          code = RubyVM::InstructionSequence.disasm(@callable).to_s.lines.grep_v(OWN).join
          (code.scan(OUTER).flatten.uniq.map(&:to_sym) & around.local_variables).each do |name|
            @objects << [around.local_variable_get(name), name.to_s]
          end
        rescue ArgumentError # one that is shareable has copies of its own
          nil
        end

        # Before Ruby 3.2 a path (`A::B`) is an instruction for each name, and says before it whether it begins one.
        def look_at(instruction)
          return super if PATHS

          case instruction[0]
          when :putobject then @path = nil if instruction[1] == true
          when :getconstant then return constant(@path = [*@path, instruction[1]])
          end
          super
        end

        def constant(names)
          values = block_given? ? yield : @lookup.values(names)
          @objects << [values[0], names.join("::")] if values.size == 1
        rescue Ractor::IsolationError
          nil
        end

        def instance_variable(name)
          return unless Module === @callable && @callable.instance_variable_defined?(name)

          @objects << [@callable.instance_variable_get(name), "#{@callable}.#{name}"]
        end

        # The findings of the superclass mean nothing here: in a process such code may run.
        def found(*); end
      end
    end
  end
end
