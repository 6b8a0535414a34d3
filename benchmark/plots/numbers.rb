# frozen_string_literal: true

module Plots
  # The numbers of one results file, by the words that stand before them.
  class Numbers
    # What a benchmark prints: two spaces, a name, a number, a unit.
    LINE = /\A  (?<name>\S.*?) {2,}(?<value>-?[\d.]+) (?<unit>\S+)\s*\z/
    private_constant :LINE

    # @return [String] Ruby, processors and day of the run: what a plot says below its title
    attr_reader :machine

    # @param path [String]
    # @raise [Errno::ENOENT]
    def initialize(path)
      lines = File.readlines(path, chomp: true)
      @machine = "#{lines[0][/\Aruby \S+/]}, #{lines[1][/\d+ processors/]}, #{lines[1][/\d{4}-\d\d-\d\d/]}"
      @values = lines.filter_map { |line| LINE.match(line) }.to_h { |found| [found[:name], Float(found[:value])] }
    end

    # @param name [String] the words as they stand in the file
    # @return [Float]
    # @raise [KeyError] if there is no such line
    def [](name)
      @values.fetch(name)
    end

    # @param pattern [Regexp] with the groups of what is looked for
    # @return [Array<Array>] for each line that matches: its groups, then its value
    def scan(pattern)
      @values.filter_map { |name, value| (found = pattern.match(name)) && [*found.captures, value] }
    end
  end
end
