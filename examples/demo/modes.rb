# frozen_string_literal: true

require "ratomic"
require_relative "failed"
require_relative "forks"
require_relative "thread_pool"
require_relative "work"

module Demo
  # The ways to do a job: four that a program has, and two yardsticks, which show how much this machine can give. Each
  # answers `call(name, job)` with the results in order; what is needed for them lives from {#initialize} to
  # {#shutdown}.
  class Modes
    NAMES = ["sequential", "threads", "ractors", *("processes" if Forks.any?)].freeze
    # Ractors made by hand for each run, of which the value is taken; processes that return nothing.
    YARDSTICKS = [*("bare" if Ratomic::RACTORS), *("forks" if Forks.any?)].freeze

    # @return [String] "ractor", or "thread" where this Ruby has no Ractors to build on
    attr_reader :backend

    # @param workers [Integer] threads, Ractors or processes
    # @param jobs [Array<Job>]
    def initialize(workers, jobs)
      @workers = workers
      if Forks.any? # first: a child has nothing of what comes then
        @processes = start_processes(jobs)
        @forks = Forks.new(workers, jobs)
      end
      @threads = ThreadPool.new(workers)
      @ractors = Ratomic::Workers::Pool.new(size: workers, name: "demo")
      @backend = Ratomic::RACTORS ? "ractor" : "thread"
    end

    # @return [Array<String>]
    def names
      NAMES + YARDSTICKS
    end

    # Blocks until the job is done.
    # @param name [String] one of {#names}
    # @param job [Job]
    # @return [Array, nil] results in the order of the items, with a failure in the place of an item that raised; nil of
    #   processes
    def call(name, job)
      case name
      when "sequential" then Work.all(job.items, job.by_hand)
      when "threads" then threads(job)
      when "ractors" then dispatch(@ractors, job)
      when "processes" then dispatch(@processes, job)
      when "bare" then bare(job)
      when "forks" then @forks.run(job)
      end
    end

    # Ends all of it.
    def shutdown
      @processes&.shutdown # before the forks, of whose pipes they have the ends
      @forks&.shutdown
      @threads.shutdown
      @ractors.shutdown
    end

    private

    # A process knows the callables that were dispatched before it was forked. For any other callable a new process is
    # forked, beside the Ractors of this program; development versions of Ruby 4.1 can crash then.
    def start_processes(jobs)
      pools = [1, @workers].map do |size|
        Ratomic::Workers::Pool.new(size: size, name: "demo-processes", backend: :process)
      end
      jobs.each { |job| pools.first.dispatch_async(job.items.first(1), job.callable).wait }
      pools.first.shutdown
      pools.last.start
    end

    def threads(job)
      results = @threads.map(job.items, job.by_hand)
      return Work.join([results], job.by_hand) if job.sum?

      results.reject { |result| Ratomic::Workers::DROPPED.equal?(result) }
    end

    def dispatch(pool, job)
      return pool.dispatch_async(job.items, job.callable).value unless job.sum?

      reduction = pool.reduce(job.items, job.callable)
      [reduction.sum, *reduction.failures]
    end

    def bare(job)
      ractors = Work.split(job.items, @workers).map do |share|
        Ractor.new(Ractor.make_shareable(share), job.by_hand) { |items, callable| Work.all(items, callable) }
      end
      Work.join(ractors.map(&:value), job.by_hand)
    end
  end
end
