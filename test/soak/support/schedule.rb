# frozen_string_literal: true

require_relative "../../support/walks"

module Soak
  # The parts, and the seconds of each.
  class Schedule
    include Enumerable

    FOLDER = File.expand_path("..", __dir__)
    # What share each part of a folder gets.
    SHARES = { "growth" => 1, "endings" => 2, "chaos" => 4, "walks" => 1 }.freeze

    # @return [Array<String>] of all parts: folder and file, or file and what it is to do
    def self.names
      files = SHARES.keys.flat_map { |folder| Dir[File.join(FOLDER, folder, "*.rb")].sort }
      files.map { |file| file.delete_prefix("#{FOLDER}/").delete_suffix(".rb") } +
        Walks::ALL.keys.map { |walk| "walks/#{walk}" }
    end

    # @param name [String]
    # @return [Array<String>] the file, and its argument if there is one
    def self.command(name)
      own = File.join(FOLDER, "#{name}.rb")
      File.exist?(own) ? [own] : [File.join(FOLDER, "#{File.dirname(name)}.rb"), File.basename(name)]
    end

    # @param seconds [Numeric] for all of them
    # @param only [String, nil] a part, or a folder
    def initialize(seconds, only)
      @names = Schedule.names.select { |name| only.nil? || name == only || File.dirname(name) == only }
      @unit = seconds / @names.sum { |name| share(name) }.to_f
    end

    # @yieldparam name [String]
    # @yieldparam seconds [Float]
    def each
      @names.each { |name| yield name, @unit * share(name) }
    end

    def empty?
      @names.empty?
    end

    def size
      @names.size
    end

    private

    def share(name)
      SHARES.fetch(File.dirname(name))
    end
  end
end
