# frozen_string_literal: true

module Demo
  # One line on a terminal that says what is being done. In a pipe or a file it says nothing.
  class Progress
    # @param output [IO]
    def initialize(output)
      @output = output
      @shown = output.tty?
    end

    # Replaces the line.
    def step(text)
      @output.write("\r\e[K#{text} ") if @shown
    end

    # Takes the line away.
    def clear
      @output.write("\r\e[K") if @shown
    end
  end
end
