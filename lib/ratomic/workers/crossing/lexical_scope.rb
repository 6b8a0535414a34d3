# frozen_string_literal: true

require_relative "../scheduling/bounded_cache"

module Ratomic
  module Workers
    # Finds the modules whose bodies surround a method or a block in its source file (`Module.nesting`), where Ruby
    # looks for constants first. `Module.nesting` answers only for the code that calls it. So the source file is
    # compiled again, without running it, and the same code is searched in the result. If the file has changed since it
    # was loaded, or the code is from no file, there is no answer.
    class LexicalScope
      FOUND = BoundedCache.new
      UNKNOWN = :unknown
      private_constant :FOUND, :UNKNOWN
      # Indexes in the Array of RubyVM::InstructionSequence#to_a. Two pieces of code are the same if these are equal:
      # label, type, locals, arguments, and all instructions.
      SAME = [5, 9, 10, 11, 13].freeze
      # Flags of the instruction `defineclass`: the bits of its kind, the kind of a singleton class, and the bit of a
      # name that was written with `::`.
      KIND = 7
      SINGLETON = 1
      SCOPED = 8
      private_constant :SAME, :KIND, :SINGLETON, :SCOPED

      # @param code [RubyVM::InstructionSequence]
      # @return [Array<Module>, nil] the innermost first, Object last; nil if they cannot be found
      def self.of(code)
        Interrupts.exceptions_deferred do
          key = "#{code.absolute_path}:#{code.first_lineno}:#{code.label}"
          found = FOUND[key] || (FOUND[key] = new(code).modules || UNKNOWN)
          found unless found == UNKNOWN
        rescue StandardError, ScriptError, SystemStackError
          nil
        end
      end

      def initialize(code)
        @path = code.absolute_path
        @code = code.to_a
      end

      def modules
        return unless @path && File.file?(@path)

        file = silently { RubyVM::InstructionSequence.compile_file(@path) }.to_a
        found = find(file, [])
        resolve(found) if found
      end

      private

      def silently
        verbose = $VERBOSE
        return yield if verbose.nil? || (RACTORS && !Ractor.main?) # only the main Ractor may set it

        begin
          $VERBOSE = nil
          yield
        ensure
          $VERBOSE = verbose
        end
      end

      # @param frames [Array] [name, flags] of each class or module around the part, outermost first
      # @return [Array, nil] the frames around the code
      def find(part, frames)
        return unless part.is_a?(Array)
        return frames if same?(part)

        frames += [[part[1], part[3]]] if part[0] == :defineclass
        part.each do |inner|
          found = inner.is_a?(Hash) ? find(inner.values, frames) : find(inner, frames)
          return found if found
        end
        nil
      end

      def same?(part)
        part[0] == @code[0] && part[8] == @code[8] && SAME.all? { |place| part[place] == @code[place] }
      end

      # @return [Array<Module>, nil]
      def resolve(frames)
        modules = [Object]
        frames.each do |name, flags|
          next modules.unshift(modules[0].singleton_class) if flags & KIND == SINGLETON
          return nil if flags & SCOPED != 0 || modules[0].autoload?(name) || !modules[0].const_defined?(name, false)

          modules.unshift(modules[0].const_get(name, false))
        end
        modules.grep(Module).freeze
      end
    end
  end
end
