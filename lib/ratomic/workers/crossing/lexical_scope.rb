# frozen_string_literal: true

require_relative "../scheduling/bounded_cache"

module Ratomic
  module Workers
    # The modules in whose text a method or a block stands, where Ruby looks for constants first. Ruby tells that only
    # to the code itself. So its file is compiled once more (not run), and the same code is looked for in it: what has
    # changed since it was loaded, or was never in a file, has no answer.
    class LexicalScope
      FOUND = BoundedCache.new
      UNKNOWN = :unknown
      private_constant :FOUND, :UNKNOWN
      # What is the same in the code that was loaded and in that of the file: label, type, locals, arguments, and all
      # instructions. See RubyVM::InstructionSequence#to_a.
      SAME = [5, 9, 10, 11, 13].freeze
      # Flags of `defineclass`: what it defines, and that its name was written with `::`.
      KIND = 7
      SINGLETON = 1
      SCOPED = 8
      private_constant :SAME, :KIND, :SINGLETON, :SCOPED

      # @param code [RubyVM::InstructionSequence]
      # @return [Array<Module>, nil] innermost first, the last is Object; nil when it cannot be told
      def self.of(code)
        key = "#{code.absolute_path}:#{code.first_lineno}:#{code.label}"
        found = FOUND[key] || (FOUND[key] = new(code).modules || UNKNOWN)
        found unless found == UNKNOWN
      rescue StandardError, ScriptError, SystemStackError
        nil
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
        return yield if verbose.nil? || (RACTORS && !Ractor.main?) # where it may not be set

        begin
          $VERBOSE = nil
          yield
        ensure
          $VERBOSE = verbose
        end
      end

      # @param frames [Array] [name, flags] of each class or module around the part, outermost first
      # @return [Array, nil] those around the code
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
