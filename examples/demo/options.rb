# frozen_string_literal: true

require "etc"
require "optparse"
require_relative "errors"

module Demo
  # The command line, checked.
  class Options
    JOBS = %w[json cdc erb].freeze
    MOST_WORKERS = 256
    SUMMARY = [
      "Usage: bin/demo [options]", "",
      "Three real jobs, each sequentially, with a pool of threads and with Ratomic::Workers; and for",
      "comparison with bare Ractors and with forked processes:",
      "  json  parse, validate and filter JSON events: a pipeline (MB are those of the documents)",
      "  cdc   decode and count the row changes of a recorded PostgreSQL stream: a reduction (MB of the messages)",
      "  erb   render pages from ERB templates: a dispatch (MB of the pages)", "", ""
    ].freeze

    # @return [Integer, nil] items per job, nil for each job's own number
    attr_reader :items
    # @return [Integer] threads or Ractors that work
    attr_reader :workers
    # @return [Array<String>] the jobs to do, some of JOBS
    attr_reader :only
    # @return [Integer] how often each mode is measured
    attr_reader :rounds
    # @return [Integer] of the generated documents and pages
    attr_reader :seed
    # @return [String, nil] path of the folder for the rendered pages
    attr_reader :write
    # @return [String, nil] path of a file with JSON documents, instead of generated ones
    attr_reader :events
    # @return [String, nil] path of a recorded stream, instead of the one that comes with the example
    attr_reader :stream

    # @param arguments [Array<String>]
    # @raise [UsageError] with one line that says what is wrong
    def initialize(arguments)
      @workers = Etc.nprocessors
      @only = JOBS
      @rounds = 5
      @seed = 1
      rest = parser.parse(arguments)
      raise UsageError, "unexpected argument #{rest.first.inspect}" unless rest.empty?

      check
    rescue OptionParser::ParseError => e
      raise UsageError, e.message
    end

    # @return [Boolean] print one JSON object instead of the table
    def json?
      @json == true
    end

    # @return [String, nil] the text to print when help is asked for
    attr_reader :help

    private

    def check
      at_least_one("--items", @items)
      at_least_one("--workers", @workers)
      raise UsageError, "--workers must be #{MOST_WORKERS} or less, is #{@workers}" if @workers > MOST_WORKERS

      at_least_one("--rounds", @rounds)
      unknown = @only - JOBS
      raise UsageError, "unknown job #{unknown.first.inspect}: --only takes #{JOBS.join(',')}" unless unknown.empty?
      raise UsageError, "--only needs at least one of #{JOBS.join(',')}" if @only.empty?

      needs_job("--write", @write, "erb")
      needs_job("--events", @events, "json")
      needs_job("--stream", @stream, "cdc")
    end

    def at_least_one(name, number)
      raise UsageError, "#{name} must be 1 or more, is #{number}" if number && number < 1
    end

    def needs_job(name, value, job)
      raise UsageError, "#{name} belongs to the #{job} job, which --only leaves out" if value && !@only.include?(job)
    end

    def parser
      OptionParser.new do |opts|
        opts.banner = SUMMARY.join("\n")
        amounts(opts)
        files(opts)
        opts.on("--json", "print one JSON object and nothing else") { @json = true }
        opts.on("-h", "--help", "this text") { @help = opts.help }
      end
    end

    def amounts(opts)
      opts.on("--items N", Integer, "items of each job (each job has its own number)") { |n| @items = n }
      opts.on("--workers N", Integer, "threads or Ractors (as many as processors: #{@workers})") { |n| @workers = n }
      opts.on("--only JOBS", Array, "some of #{JOBS.join(',')}") { |jobs| @only = jobs.uniq }
      opts.on("--rounds N", Integer, "measure each mode N times, print the medians (#{@rounds})") { |n| @rounds = n }
      opts.on("--seed N", Integer, "of the generated documents and pages (#{@seed})") { |n| @seed = n }
    end

    def files(opts)
      opts.on("--write DIR", "write the rendered pages and an index.html to DIR") { |path| @write = path }
      opts.on("--events FILE", "parse the documents in FILE, one a line") { |path| @events = path }
      opts.on("--stream FILE", "decode the pgoutput stream in FILE") { |path| @stream = path }
    end
  end
end
