# frozen_string_literal: true

module Ratomic
  module Workers
    # Draws the progress of a {Workers.map}: on a terminal a bar with the rate, the Failures and the time left,
    # elsewhere a line a minute, and nothing in tests. Output that fails (a closed pipe) ends the drawing, not the work.
    class ProgressBar
      # Seconds between two lines where there is no terminal.
      LINE_INTERVAL_S = 60
      # Seconds over which the rate is computed.
      RATE_WINDOW_S = 15
      DEFAULT_COLUMNS = 80
      BAR_COLUMNS = (8..40)
      # Characters that are kept for numbers.
      NUMBER_COLUMNS = 44
      # Constants that a test framework has once it is loaded.
      FRAMEWORKS = %i[Minitest RSpec].freeze
      private_constant :FRAMEWORKS

      class << self
        # Whether the program is a test suite, or one that runs with an environment for tests.
        def in_tests?
          FRAMEWORKS.any? { |name| Object.const_defined?(name) } || %w[RAILS_ENV RACK_ENV].any? { |n| ENV[n] == "test" }
        end
      end

      # @param title [String, nil] before the bar
      # @param output [IO]
      def initialize(title = nil, output: $stderr)
        @title = title && Text.of(title.to_s).gsub(/[[:cntrl:]]/, " ")
        @output = output
        @samples = []
        @written = 0 # the second of the last line
        @widest = NUMBER_COLUMNS
        @terminal = output.tty? && ENV["TERM"] != "dumb"
      end

      # @param progress [Progress] with failures and seconds
      def call(progress)
        sample(progress)
        if @terminal
          put("\r\e[K#{bar(progress)}#{"\n" if progress.done?}")
        elsif progress.seconds - @written >= LINE_INTERVAL_S || (progress.done? && @written.positive?)
          @written = progress.seconds
          put("#{line(progress)}\n")
        end
      end

      # The work was ended early.
      # @param progress [Progress]
      def stop(progress)
        put("#{"\r\e[K" if @terminal}#{[@title, "stopped at #{progress}"].compact.join(": ")} after " \
            "#{Figures.time(progress.seconds)}#{failed(progress)}\n")
      end

      private

      def put(text)
        return unless @output

        @output.write(text)
        @output.flush
      rescue SystemCallError, ::IOError
        @output = nil
      end

      def sample(progress)
        @samples << [progress.seconds, progress.completed]
        @samples.shift while @samples.size > 2 && progress.seconds - @samples[0][0] > RATE_WINDOW_S
      end

      # @return [Float, nil] items in a second
      def rate(progress)
        return progress.completed / progress.seconds if progress.done? && progress.seconds.positive?

        first, before = @samples[0]
        last, now = @samples[-1]
        (now - before) / (last - first) if last > first && now > before
      end

      def bar(progress)
        words = words(progress)
        @widest = [@widest, words.size].max # or the bar would change its length with each number
        room = columns - (@title ? @title.size + 1 : 0) - 4 # for brackets, a space, and none in the last column
        width = (room - @widest).clamp(BAR_COLUMNS)
        return [@title, words].compact.join(" ")[0, columns - 1] if width > room - words.size

        full = (progress.fraction * width).floor
        [@title, "[#{"=" * full}#{" " * (width - full)}]", words].compact.join(" ")
      end

      def line(progress)
        [@title, words(progress)].compact.join(": ")
      end

      def words(progress)
        rate = rate(progress)
        words = "#{Figures.percent(progress.fraction).rjust(4)} #{progress.completed}/#{progress.total}"
        words << ", #{Figures.count(rate)}/s" if rate
        words << failed(progress) << (progress.done? ? ", #{Figures.time(progress.seconds)}" : left(progress, rate))
      end

      def failed(progress)
        progress.failures&.positive? ? ", #{progress.failures} failed" : ""
      end

      def left(progress, rate)
        rate ? ", #{Figures.time((progress.total - progress.completed) / rate)} left" : ""
      end

      # @return [Integer] of the terminal, which may be made wider meanwhile
      def columns
        require "io/console"
        _, columns = @output.winsize
        columns.positive? ? columns : DEFAULT_COLUMNS
      rescue LoadError, SystemCallError, NoMethodError
        DEFAULT_COLUMNS
      end
    end
  end
end
