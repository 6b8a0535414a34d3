# frozen_string_literal: true

require "ratomic"
require "optparse"

# What `test/soak/run.rb` runs, each part in a process of its own. A part can be run alone too:
#
#   bin/exec test/soak/growth/queue.rb --seconds 20 --seed 7
module Soak
  FOLDER = File.expand_path("..", __dir__)

  # @return [Float] monotonic seconds
  def self.now
    Process.clock_gettime(Process::CLOCK_MONOTONIC)
  end

  # What a part has found wrong.
  Wrong = Class.new(StandardError)

  # One part: its name, how long it may work, its chance, and its verdict.
  class Part
    # @return [String] as `growth/queue`
    attr_reader :name
    # @return [String, nil] what a file for several parts is to do
    attr_reader :variant
    # @return [Float] seconds that it is to work
    attr_reader :seconds
    # @return [Integer]
    attr_reader :seed
    # @return [Integer, nil] if only the plain Ruby beside it is to be measured, the operations before the first look,
    #   see {Growth}
    attr_reader :control

    # Runs the block, prints the verdict and ends the process with it.
    # @param needs_ractors [Boolean]
    # @yieldparam part [Part]
    # @yieldreturn [String] what was seen, for the verdict
    def self.run(needs_ractors: false)
      $stdout.sync = true
      part = new(ARGV)
      part.finish("skip", "needs Ractors (Ruby 4.0 or newer)", 0) if needs_ractors && !Ratomic::RACTORS
      part.finish("ok", yield(part), 0)
    rescue Wrong => e
      part.finish("FAILED", "#{e.message}; again: #{part.again}", 1)
    rescue StandardError => e
      warn e.full_message(highlight: false)
      what = e.cause || e # of what a Ractor raised
      part.finish("FAILED", "#{what.class}: #{what.message.lines.first&.chomp}; again: #{part.again}", 1)
    end

    # @return [String] a verdict as it is printed
    def self.line(verdict, name, text)
      "#{verdict.ljust(6)} #{name.ljust(26)} #{text}"
    end

    # @return [String] the command that does the same again
    def self.again(name, seconds, seed)
      "bin/exec test/soak/run.rb --only #{name} --minutes #{(seconds / 60).round(2)} --seed #{seed}"
    end

    def initialize(arguments)
      @seconds = 10.0
      @seed = 1
      OptionParser.new do |options|
        options.on("--seconds N", Float) { |seconds| @seconds = seconds }
        options.on("--seed N", Integer) { |seed| @seed = seed }
        options.on("--control OPERATIONS", Integer) { |operations| @control = operations }
      end.parse!(arguments)
      @variant = arguments.first
      @name = [File.expand_path($PROGRAM_NAME).delete_prefix("#{FOLDER}/").delete_suffix(".rb"), *@variant].join("/")
      @limit = Soak.now + @seconds
    end

    # @return [Float] seconds that are left
    def left
      @limit - Soak.now
    end

    # Says how far it is, in a line of its own.
    def note(text)
      puts "  #{text}"
    end

    # @param seed [Integer] with which it goes wrong
    # @return [String] the command that does the same again
    def again(seed = @seed)
      Part.again(@name, @seconds, seed)
    end

    # From the same seed it begins with what was going on now.
    def begin_with(seed)
      @seed = seed
      note "seed #{seed}"
    end

    def finish(verdict, text, status)
      puts Part.line(verdict, @name, text)
      exit(status)
    end
  end
end
