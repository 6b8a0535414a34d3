# frozen_string_literal: true

require "etc"
require "json"
require "ratomic"
require_relative "../support/refusal"
require_relative "errors"
require_relative "options"
require_relative "jit"
require_relative "json_job"
require_relative "cdc_job"
require_relative "erb_job"
require_relative "modes"
require_relative "progress"
require_relative "runner"
require_relative "table"

module Demo
  # bin/demo: reads the command line, does the jobs, prints the table or the JSON object.
  class CLI
    JOBS = { "json" => JSONJob, "cdc" => CDCJob, "erb" => ERBJob }.freeze
    # Errors that are about the input and not about the program.
    REFUSALS = [Error, SystemCallError, Events::Invalid, Cdc::Error, Ratomic::Error].freeze

    # @param arguments [Array<String>]
    # @param output [IO] for the table
    # @param errors [IO] for progress and errors
    def initialize(arguments, output: $stdout, errors: $stderr)
      @arguments = arguments
      @output = output
      @errors = errors
      @progress = Progress.new(errors)
    end

    # @return [Integer] the exit status: 0, 1 for bad input or results that differ, 2 for a bad option
    def run
      options = Options.new(@arguments)
      return help(options) if options.help

      demo(options)
    rescue Errno::EPIPE
      1 # whoever read the output has gone
    rescue *REFUSALS => e
      @progress.clear
      @errors.puts("bin/demo: #{Refusal.line(e)}#{' (see --help)' if e.is_a?(UsageError)}")
      e.is_a?(Error) ? e.status : 1
    end

    private

    def help(options)
      @output.puts(options.help)
      0
    end

    def demo(options)
      @progress.step("preparing the input")
      jobs = options.only.map { |name| JOBS.fetch(name).new(options) }
      modes = Modes.new(options.workers, jobs)
      rows, notes, refusal = measure(jobs, modes, options)
      modes.shutdown
      @progress.clear
      options.json? ? print_json(rows, modes, options) : print_table(rows, notes, modes, options)
      @output.flush # tells of a full disk; when the process ends, Ruby ignores such an error
      raise refusal if refusal

      0
    end

    # @return [Array] the rows, lines to say after the table, and the error to end with once it is printed
    def measure(jobs, modes, options)
      runner = Runner.new(modes, options.rounds, @progress)
      notes = []
      refusal = nil
      rows = jobs.flat_map do |job|
        runner.run(job) do |results|
          notes << job.finish(results)
        rescue InputError => e
          refusal ||= e
        end
      end
      [rows, notes.compact, refusal]
    end

    def print_json(rows, modes, options)
      report = { ruby: RUBY_DESCRIPTION, backend: modes.backend, workers: options.workers,
                 results: rows.map(&:to_report) }
      @output.puts(JSON.generate(report))
    end

    # @return [Array<String>]
    def legend
      meanings = { "bare" => "bare: Ractors made by hand for this one job, a share for each, and their values taken.",
                   "forks" => "forks: processes that do a share each and return nothing, the most there is to gain." }
      meanings.values_at(*Modes::YARDSTICKS)
    end

    # @return [String]
    def without_ractors(modes)
      words = "This Ruby has no Ractors to build on: \"ractors\" ran on threads."
      modes.names.include?("processes") ? "#{words} What runs in parallel here is \"processes\"." : words
    end

    def print_table(rows, notes, modes, options)
      @output.puts("Ruby #{RUBY_VERSION} #{JIT.state}, #{options.workers} workers on #{Etc.nprocessors} processors, " \
                   "#{options.rounds == 1 ? 'one round' : "medians of #{options.rounds} rounds"}")
      @output.puts(without_ractors(modes)) if modes.backend == "thread"
      @output.puts("", Table.new(rows).to_s, "", *legend, "All gave the same results as the sequential run.")
      notes.each { |note| @output.puts(note) }
    end
  end
end
