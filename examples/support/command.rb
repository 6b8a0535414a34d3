# frozen_string_literal: true

# Before anything else is loaded, so that Ctrl-C has the same end at every moment.
require_relative "interrupt"
Interruption.ends($PROGRAM_NAME)

require "optparse"
require_relative "../../bin/support/load_path"
require_relative "refusal"

Warning[:experimental] = false # Ruby calls Ractors experimental, once in every process

# What the example scripts have in common: options, and how they end. Bad input is one line on standard error and status
# 1, a bad option status 2, Ctrl-C status 130; never a backtrace.
class Command
  # @param name [String] how the script is called, such as "examples/erb/run"
  # @param arguments [Range] how many arguments besides the options it takes
  def initialize(name, usage, arguments: 0..0)
    @name = name
    @arguments = arguments
    @options = {}
    @parser = OptionParser.new("usage: #{name} #{usage}")
    Interruption.ends(name)
  end

  # Declares `--name N`, a number.
  # @param most [Numeric] it is not more than this
  # @param least [Integer] nor less than this
  def number(name, default, text, most: Float::INFINITY, least: 1)
    @options[name] = default
    @parser.on("--#{name} N", Integer, "#{text} (#{default})") do |value|
      raise OptionParser::InvalidArgument, "#{value} (must be #{least} or more)" if value < least
      raise OptionParser::InvalidArgument, "#{value} (must be #{most} or less)" if value > most

      @options[name] = value
    end
  end

  # Declares `--name VALUE`.
  def text(name, value, text)
    @parser.on("--#{name} #{value}", text) { |given| @options[name] = given }
  end

  # Ends the process.
  # @param refusals [Array<Class>] errors that are about the input and not about the program
  # @yieldparam options [Hash{Symbol => Object}]
  # @yieldparam arguments [Array<String>]
  # @yieldreturn [Boolean] whether all was well
  def run(*refusals, argv: ARGV)
    arguments = parse(argv)
    well = yield(@options, arguments)
    $stdout.flush # tells of a full disk; when the process ends, Ruby ignores such an error
    exit(well ? 0 : 1)
  rescue Errno::EPIPE
    exit 1 # whoever read the output has gone
  rescue OptionParser::ParseError => e
    complain("#{Refusal.line(e)} (see --help)", 2)
  rescue SystemCallError, Ratomic::Error, *refusals => e
    complain(Refusal.line(e), 1)
  end

  private

  def parse(argv)
    @parser.on("-h", "--help", "this text") do
      puts @parser.help
      exit
    end
    rest = @parser.parse(argv)
    return rest if @arguments.cover?(rest.size)

    raise OptionParser::InvalidArgument, "#{rest.size} arguments, #{@arguments.max} at most are taken"
  end

  def complain(text, status)
    warn "#{@name}: #{text}"
    exit status
  end
end
