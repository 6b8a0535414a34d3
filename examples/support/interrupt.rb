# frozen_string_literal: true

# Ctrl-C ends the process at once, whatever it is doing, with one line and status 130.
module Interruption
  # @param name [String] whose end the line tells
  def self.ends(name)
    trap("INT") do
      # An IO of its own: the interrupted code may be in the middle of writing to $stderr and hold its lock.
      terminal = IO.for_fd(2, autoclose: false)
      terminal.syswrite("#{"\r\e[K" if terminal.tty?}#{name}: interrupted\n")
    ensure
      exit!(130)
    end
  end
end
