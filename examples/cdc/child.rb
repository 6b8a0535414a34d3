# frozen_string_literal: true

module Cdc
  # A program that runs beside this one until it is stopped.
  class Child
    # @return [Integer] its process id
    attr_reader :pid

    # A process group of its own keeps a Ctrl-C on the terminal away from it: it is stopped in order, by us.
    #
    # @param environment [Hash{String => String, nil}] what differs from ours
    # @param command [Array<String>]
    # @param redirections as for Process.spawn
    def initialize(environment, command, **redirections)
      @pid = Process.spawn(environment, *command, in: File::NULL, chdir: "/", pgroup: true, **redirections)
    end

    # @return [Boolean] whether it has ended, by itself or not
    def over?
      @over ||= !Process.wait(@pid, Process::WNOHANG).nil?
    rescue Errno::ECHILD
      @over = true
    end

    # Sends one signal after another until it has ended.
    #
    # @param signals [Array<String>]
    # @param patience [Numeric] seconds to wait after each
    # @return [Boolean] whether it has
    def stop(*signals, patience: 20)
      signals.any? do |signal|
        next true if over?

        Process.kill(signal, @pid)
        deadline = Process.clock_gettime(Process::CLOCK_MONOTONIC) + patience
        sleep 0.02 until over? || Process.clock_gettime(Process::CLOCK_MONOTONIC) > deadline
        over?
      end
    end
  end
end
