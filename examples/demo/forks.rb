# frozen_string_literal: true

require_relative "errors"
require_relative "work"

module Demo
  # Processes that do their share of a job and return nothing: about the highest speed that this machine can reach. They
  # are forked before there are any Ractors, and wait for the name of a job.
  class Forks
    # @return [Boolean] whether this Ruby can fork
    def self.any?
      Process.respond_to?(:fork)
    end

    # @param count [Integer]
    # @param jobs [Array<Job>]
    def initialize(count, jobs)
      @children = []
      count.times { |number| @children << start(number, count, jobs) }
    end

    # Blocks until the job is done.
    # @return [nil]
    # @raise [Error] when a process has died
    def run(job)
      @children.each { |_, to, _| to.puts(job.name) }
      ended = @children.map { |_, _, from| from.gets }
      raise Error, "a forked process has died in the job #{job.name}" unless ended.all?
    end

    # Ends them.
    def shutdown
      @children.each do |pid, to, from|
        to.close
        from.close
        Process.wait(pid)
      end
    end

    private

    def start(number, count, jobs)
      read, to = IO.pipe
      from, write = IO.pipe
      pid = fork do
        trap("INT") { exit!(130) } # the parent says what there is to say
        [to, from, *@children.flat_map { |child| child.drop(1) }].each(&:close) # or nobody would see their end
        serve(read, write, jobs.to_h { |job| [job.name, [Work.split(job.items, count)[number] || [], job.by_hand]] })
      ensure
        exit!
      end
      [read, write].each(&:close)
      [pid, to, from]
    end

    # Collects the garbage of one run before the next begins.
    def serve(read, write, shares)
      while (name = read.gets)
        Work.all(*shares.fetch(name.chomp))
        write.puts
        GC.start
      end
    end
  end
end
