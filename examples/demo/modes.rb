# frozen_string_literal: true

require "ratomic"
require_relative "failed"
require_relative "thread_pool"

module Demo
  # The three ways to do a job. Each answers `call(items, callable)` with the results in order; the pools live from
  # {#initialize} to {#shutdown} and are used by every job.
  class Modes
    NAMES = %w[sequential threads ractors].freeze

    # @return [String] "ractor", or "thread" where this Ruby has no Ractors to build on
    attr_reader :backend

    # @param workers [Integer] size of both pools
    def initialize(workers)
      @threads = ThreadPool.new(workers)
      @ractors = Ratomic::Workers::Pool.new(size: workers, name: "demo")
      @backend = Ratomic::RACTORS ? "ractor" : "thread"
    end

    # Blocks until the job is done.
    # @param name [String] one of NAMES
    # @return [Array] results in the order of the items, with a failure in the place of an item that raised
    def call(name, items, callable)
      case name
      when "sequential" then items.map { |item| Failed.guard(callable, item) }
      when "threads" then @threads.map(items, callable)
      when "ractors" then @ractors.dispatch_async(items, callable).value
      end
    end

    # Ends both pools.
    def shutdown
      @threads.shutdown
      @ractors.shutdown
    end
  end
end
