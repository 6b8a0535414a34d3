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

    # @return [void]
    def self.load
      RuntimeError.new.detailed_message if Ractor.main? && NAMES.any? { |name| Object.autoload?(name) }
    end
  end
end
