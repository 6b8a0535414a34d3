# frozen_string_literal: true

# What became of the jobs, in lines.
module Table
  NAMES = ["jobs counted", "cache hits", "cache misses", "policy refreshes", "jobs put back on TERM", "jobs not begun",
           "dispatches cancelled", "seconds from TERM to end"].freeze

  # @param run [StopAndRestart]
  # @return [Array<String>]
  def self.of(run)
    rows = NAMES.zip(figures(run.first), figures(run.second)).map do |name, first, second|
      format("%-26<name>s %10<first>s %18<second>s", name: name, first: first, second: second)
    end
    ["#{" " * 26} until TERM  after the restart", *rows,
     "#{run.repeated} job was done again after it had been counted, and counted once"]
  end

  def self.figures(part)
    policies = part.figures.fetch("policies")
    [part.done, policies["hits"], policies["misses"], policies["refreshes"], part.put_back.size, part.waiting.size,
     part.figures.fetch("cancelled"), format("%.1f", part.seconds)]
  end
  private_class_method :figures
end
