# frozen_string_literal: true

# Before anything else is loaded, so that Ctrl-C never shows a backtrace. `Script#run` rescues Interrupt instead.
require_relative "../support/interrupt"
Interruption.ends($PROGRAM_NAME)

require "optparse"
require_relative "../../bin/support/load_path"
require_relative "../support/refusal"
begin
  require_relative "cdc"
rescue LoadError => e
  abort e.message # says how to build the extension
end

Thread.report_on_exception = false # what ends a thread is told in one line, by whoever waits for it
Warning[:experimental] = false # Ruby calls Ractors experimental, once in every process

module Cdc
  # What the scripts of this example have in common: options, and how they end. An error is one line on standard
  # error and status 1, a wrong option status 2, Ctrl-C status 130; never a backtrace.
  class Script
    WORKERS = ["--workers N", Integer, "number of workers, 1 to 256, beside the thread that reads and decodes too " \
                                       "(default: one less than processors)"].freeze

    # Options that not every script has.
    MORE = {
      rows: ["--rows", "print every change as a line of JSON on standard output, all else on standard error"],
      memory: ["--memory MB", Integer, "of open transactions that are kept in memory (default: 64); more of them " \
                                       "goes to a temporary file"],
      server: ["--server DIR", "the directory of another server's initdb and postgres"],
      captures: ["--captures", "the small captures of what the protocol can do, instead of the long recording"],
      seed: ["--seed N", Integer, "of the random statements (default: a new one, which is printed)"]
    }.freeze

    # @param usage [String] its name and arguments
    # @param argv [Array<String>]
    # @param arguments [Integer] how many it takes at most
    # @param options [Array<Symbol>] of MORE
    # @yieldparam arguments [Array<String>] what is not an option
    # @yieldparam options [Hash{Symbol => Object}] what was given: :workers, and those of MORE
    # @yieldreturn [Boolean] whether all is well
    def self.run(usage, argv = ARGV, arguments: 1, options: [], &block)
      exit(new(usage, arguments, options).run(argv, &block))
    end

    def initialize(usage, arguments, more)
      @usage = usage
      @arguments = arguments
      @more = more
      @options = {}
      @name = usage[/\w+/]
    end

    def run(argv)
      trap("INT", "DEFAULT") # raises Interrupt
      rest = parser.parse(argv)
      raise OptionParser::NeedlessArgument, rest.last if rest.size > @arguments

      well = yield(rest, @options)
      $stdout.flush # tells of a full disk; when the process ends, Ruby ignores such an error
      well ? 0 : 1
    rescue OptionParser::ParseError => e
      complain("#{e.message} (usage: examples/cdc/#{@usage})", 2)
    rescue Errno::EPIPE
      1 # whoever read the output has gone
    rescue Error, Ratomic::Error, SystemCallError => e
      complain(Refusal.line(e), 1)
    rescue Interrupt
      complain("interrupted", 130)
    end

    private

    def parser
      OptionParser.new("usage: examples/cdc/#{@usage}") do |options|
        number(options, :workers, WORKERS, 1..256)
        @more.each do |name|
          number(options, name, MORE.fetch(name), name == :memory ? 1..1_000_000 : nil)
        end
        options.on("-h", "--help", "this text") do
          puts options
          exit
        end
      end
    end

    def number(options, name, declaration, range)
      options.on(*declaration) do |value|
        raise OptionParser::InvalidArgument, value.to_s if range && !range.cover?(value)

        @options[name] = value
      end
    end

    def complain(text, status)
      warn "#{@name}: #{text.lines.first.chomp}"
      status
    end
  end
end
