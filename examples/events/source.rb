# frozen_string_literal: true

module Events
  # Documents out of a file: one JSON document a line (JSON Lines).
  module Source
    # @param path [String]
    # @return [Array<String>] the lines, frozen; blank lines are left out
    # @raise [SystemCallError] when the file cannot be read
    # @raise [Invalid] when there is no document in it
    def self.read(path)
      lines = File.read(path, encoding: Encoding::UTF_8).lines(chomp: true).reject { |line| line.b.strip.empty? }
      raise Invalid, "#{path} holds no documents (one JSON document a line is expected)" if lines.empty?

      lines.each(&:freeze).freeze
    end
  end
end
