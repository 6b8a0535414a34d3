# frozen_string_literal: true

require "etc"

module Crates
  # What the figures were measured on, and how much else it did from when this object was made.
  class Machine
    # More other work than this makes the figures hints.
    QUIET_PERCENT = 5

    def initialize
      @begun = times
    end

    def description
      processor = File.readable?("/proc/cpuinfo") ? File.read("/proc/cpuinfo")[/^model name\s*:\s*(.+)$/, 1] : "unknown"
      "#{`rustc --version`.strip}, #{Etc.nprocessors} processors (#{processor}), " \
        "#{Time.now.utc.strftime("%Y-%m-%d %H:%M UTC")}"
    end

    # The share of the processors' time that other programs took.
    def other_work
      return "How busy the machine was is not known." unless @begun

      own, busy, all = times.zip(@begun).map { |now, begun| now - begun }
      percent = ((busy - own) * 100 / all).round.clamp(0, 100)
      said = percent > QUIET_PERCENT ? "The machine was busy, so the figures are hints: other" : "Other"
      "#{said} work took #{percent} % of the processors' time."
    end

    private

    # Seconds: of the ended children of this process, of everything, and of everything with the time of rest.
    def times
      return unless File.readable?("/proc/stat")

      ticks = File.read("/proc/stat").lines.first.split.drop(1).first(8).map { |word| Integer(word) }
      user, nice, system, idle, waiting, *others = ticks.map { |count| count / Float(Etc.sysconf(Etc::SC_CLK_TCK)) }
      rest = idle + waiting
      busy = user + nice + system + others.sum
      children = Process.times
      [children.cutime + children.cstime, busy, busy + rest]
    end
  end
end
