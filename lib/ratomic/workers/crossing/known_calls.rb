# frozen_string_literal: true

module Ratomic
  module Workers
    # Calls that fail in a Ractor and that compiled code shows. Each has a name. {RactorCapabilities} answers by that
    # name whether this Ruby allows the call, and {Remedy} has the advice for it.
    module KnownCalls
      OF_CLASS = {
        "JSON" => { load: :json_load, dump: :json_dump }, "OptionParser" => { new: :option_parser },
        "WeakRef" => { new: :weak_ref }, "Gem::Version" => { new: :gem_version, create: :gem_version },
        "Process" => { fork: :fork }, "Kernel" => { fork: :fork, at_exit: :at_exit },
        "Ripper" => %i[sexp sexp_raw lex tokenize new].to_h { |name| [name, :ripper] },
        "Etc" => %i[getpwuid getpwnam getlogin getgrgid getgrnam passwd group].to_h { |name| [name, :etc] }
      }.freeze
      # Calls on an object that was just made (`ERB.new(text).result`): class, method and number of arguments.
      OF_NEW = { ["ERB", :result, 0] => :erb_result, ["ERB", :result_with_hash, 1] => :erb_hash }.freeze
      # Methods that fail on any receiver.
      OF_ANY = %i[unicode_normalize unicode_normalize! unicode_normalized?].freeze
      # Calls without a receiver, if the method is Kernel's.
      OF_SELF = %i[fork at_exit].freeze
      private_constant :OF_CLASS, :OF_NEW, :OF_ANY, :OF_SELF

      class << self
        # @param kind [Module] the receiver, or the class of the receiver
        # @param made [Boolean] whether the receiver was just made
        # @return [Symbol, nil] the name of the call, if it fails
        def of(kind, made, name, count)
          title = Reflection.name_of(kind)
          question = made ? OF_NEW[[title, name, count]] : OF_CLASS.dig(title, name) || of_singleton(kind, name)
          question if question && fails?(question)
        end

        # @return [Symbol, nil]
        def of_any(name)
          :unicode_normalize if OF_ANY.include?(name) && fails?(:unicode_normalize)
        end

        # @return [Symbol, nil]
        def of_self(name)
          name if OF_SELF.include?(name) && fails?(name)
        end

        private

        # To ask whether a fork is allowed would fork, so the answer is fixed.
        def fails?(question)
          question == :fork ? RACTORS : !RactorCapabilities.allowed?(question)
        end

        def of_singleton(kind, name)
          :singleton if name == :instance && defined?(::Singleton) && Class === kind && kind.include?(::Singleton)
        end
      end
    end
  end
end
