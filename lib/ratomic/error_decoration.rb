# frozen_string_literal: true

module Ratomic
  # Loads what decorates error messages (`error_highlight`, `did_you_mean`) before the library makes a Ractor.
  #
  # Ruby 4.1 loads it when a process shows its first error. In another Ractor than the main one that is a `require`,
  # which runs in a new thread of the main Ractor, and is waited for. A development version crashes when it comes while
  # the process ends, as it does when a Ractor then dies of an error.
  # @api private
  module ErrorDecoration
    NAMES = %i[ErrorHighlight DidYouMean SyntaxSuggest].freeze

    # It shows no error itself: that would call a `detailed_message` of the program's own.
    # @return [void]
    def self.load
      return unless Ractor.main?

      NAMES.each do |name|
        Object.const_get(name) if Object.autoload?(name)
      rescue LoadError, NameError
        nil # Ruby does without it, too
      end
    end
  end
end
