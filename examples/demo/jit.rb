# frozen_string_literal: true

module Demo
  # The compiler of this Ruby: turned on before anything is measured, for all modes alike.
  module JIT
    module_function

    # Turns YJIT on, where it is there and can be turned on.
    def enable
      return if !defined?(RubyVM::YJIT) || RubyVM::YJIT.enabled?

      RubyVM::YJIT.enable if RubyVM::YJIT.respond_to?(:enable)
    end

    # @return [String] what is on, for the headline
    def state
      defined?(RubyVM::YJIT) && RubyVM::YJIT.enabled? ? "with YJIT" : "without YJIT"
    end
  end
end
