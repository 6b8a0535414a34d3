# frozen_string_literal: true

require "optparse"
require_relative "../../bin/support/load_path"
begin
  require_relative "cdc"
rescue LoadError => e
  abort e.message # says how to build the extension
end

Warning[:experimental] = false # Ruby calls Ractors experimental, once in every process

module Cdc
  # What the scripts of this example have in common: options, and how they end. An error is one line on standard
  # error and status 1, a wrong option status 2, Ctrl-C status 130; never a backtrace.
  class Script
    # @param usage [String] its name and arguments
    # @param argv [Array<String>]
    # @param arguments [Integer] how many it takes at most
    # @yieldparam arguments [Array<String>] what is not an option
    # @yieldparam workers [Integer, nil] the number given by --workers
    # @yieldreturn [Boolean] whether all is well
    def self.run(usage, argv = ARGV, arguments: 1, &block)
      exit(new(usage, arguments).run(argv, &block))
    end

    def initialize(usage, arguments)
      @usage = usage
      @arguments = arguments
      @options = {}
      @name = usage[/\w+/]
    end

    def run(argv)
      rest = parser.parse(argv)
      raise OptionParser::NeedlessArgument, rest.last if rest.size > @arguments

      yield(rest, @options[:workers]) ? 0 : 1
    rescue OptionParser::ParseError => e
      complain("#{e.message} (usage: examples/cdc/#{@usage})", 2)
    rescue Error, Ratomic::Error, SystemCallError => e
      complain(e.message, 1)
    rescue Interrupt
      complain("interrupted", 130)
    end

    private

    def parser
      OptionParser.new("usage: examples/cdc/#{@usage}") do |options|
        options.on("--workers N", Integer, "number of workers, 1 to 256 (default: one for each processor)") do |number|
          raise OptionParser::InvalidArgument, number.to_s unless number.between?(1, 256)

          @options[:workers] = number
        end
        options.on("-h", "--help", "this text") do
          puts options
          exit
        end
      end
    end

    def complain(text, status)
      warn "#{@name}: #{text.lines.first.chomp}"
      status
    end
  end
end
