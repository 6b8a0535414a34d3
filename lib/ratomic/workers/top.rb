# frozen_string_literal: true

require "json"
require "optparse"
require "socket"
require_relative "monitoring/figures"
require_relative "top/screen"

module Ratomic
  module Workers
    # `ratomic top` shows in a terminal what the pools of other processes do. It connects to the sockets that they have
    # opened with {Workers.serve_stats}. It needs no native extension.
    class Top
      # Seconds to wait for the answer of a process.
      ANSWER_TIMEOUT_S = 2

      # @param arguments [Array<String>] of the command line
      # @param output [IO]
      # @param errors [IO]
      def initialize(arguments, output: $stdout, errors: $stderr)
        @output = output
        @errors = errors
        @interval = 2.0
        @once = !output.tty? || ENV["TERM"] == "dumb"
        @paths = parser.parse(arguments)
      end

      # @return [Integer] status of the program
      def run
        return fail_with(parser.help) if @paths.empty?

        @once ? show_once : follow
      rescue Errno::EPIPE # the reader of the output has closed it
        0
      end

      # @return [OptionParser]
      def parser
        @parser ||= OptionParser.new do |parser|
          parser.banner = "Usage: ratomic top [options] SOCKET|FOLDER ...\n\n" \
                          "Shows the worker pools of processes that called Ratomic::Workers.serve_stats(SOCKET).\n" \
                          "Of a FOLDER all its sockets. Without a terminal once, as plain text. Ctrl-C ends it.\n\n"
          parser.on("-i", "--interval SECONDS", Float, "between two looks (2)") { |seconds| self.interval = seconds }
          parser.on("-1", "--once", "look once, and end") { @once = true }
        end
      end

      private

      def interval=(seconds)
        raise OptionParser::InvalidArgument, "#{seconds}: it must be 0.1 or more" unless seconds >= 0.1

        @interval = seconds
      end

      def fail_with(text)
        @errors.puts(text)
        1
      end

      def show_once
        answers = look
        @output.puts(Screen.new(answers, nil, nil).lines)
        answers.any? { |_, answer| answer.is_a?(Hash) } ? 0 : 1
      end

      def follow
        before = nil
        loop do
          before = draw(before)
          sleep(@interval)
        end
      rescue Interrupt
        @output.puts
        0
      end

      # Writes the whole screen at once, so that it does not flicker.
      def draw(before)
        answers = look
        require "io/console"
        rows, columns = @output.winsize
        lines = Screen.new(answers, before, columns).lines.first([rows - 1, 1].max)
        @output.write("\e[H", lines.map { |line| "#{line}\e[K\n" }.join, "\e[J")
        @output.flush
        answers
      end

      # @return [Hash{String => Hash, String}] path => what the process said, or why it did not
      def look
        sockets = @paths.flat_map do |path|
          File.directory?(path) ? Dir[File.join(path, "*")].select { |file| File.socket?(file) }.sort : [path]
        end
        sockets.to_h { |path| [path, ask(path)] }
      end

      def ask(path)
        text = UNIXSocket.open(path) { |socket| read(socket) }
        JSON.parse(text, symbolize_names: true)
      rescue SystemCallError, JSON::ParserError, ArgumentError => e
        "#{e.class}: #{e.message}"
      end

      def read(socket)
        limit = Process.clock_gettime(Process::CLOCK_MONOTONIC) + ANSWER_TIMEOUT_S
        text = +""
        while (left = limit - Process.clock_gettime(Process::CLOCK_MONOTONIC)).positive? && socket.wait_readable(left)
          part = socket.read_nonblock(65_536, exception: false)
          return text.force_encoding(Encoding::UTF_8) if part.nil?

          text << part unless part == :wait_readable
        end
        raise Errno::ETIMEDOUT, "no whole answer in #{ANSWER_TIMEOUT_S} s"
      end
    end
  end
end
