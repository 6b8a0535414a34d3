# frozen_string_literal: true

# How an error that is about the input is told: in one line, without the name of the C function that met it.
module Refusal
  # @param error [Exception]
  # @return [String]
  def self.line(error)
    first = error.message.scrub.lines.first.to_s.chomp
    error.is_a?(SystemCallError) ? first.sub(/ @ \w+ - /, ": ") : first
  end
end
