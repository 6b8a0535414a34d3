# frozen_string_literal: true

require_relative "count_groups"
require_relative "warm_up"

module Cdc
  # Gives groups of runs to workers, which count them ({CountGroups}). When these have enough to do, the calling thread
  # counts groups itself. So as many threads are busy as there are processors. One thread more would slow all of them
  # down: a garbage collection stops every Ractor, and has to wait for a Ractor that has no processor at the moment.
  #
  # Results come in the order of the groups. For one thread.
  class GroupQueue
    # Groups that a worker has, counted or not, before the calling thread counts one itself: as many as it is busy with
    # while a large transaction is read.
    IN_FLIGHT = 4
    # Bytes of rows handed to workers after which a collection is due, where each Ractor has a heap of its own: what was
    # handed out is shareable, and only a collection of the whole process frees that. By itself it would come late.
    COLLECT_BYTES = 4 * 1024 * 1024

    # @param callable [CountRuns]
    # @param pool [Ratomic::Workers::Pool] all of whose workers this takes until {#close}
    def initialize(callable, pool)
      @callable = callable
      @pool = pool
      @most = IN_FLIGHT * pool.size
      @groups = Ratomic::Queue.new(@most)
      @results = Ratomic::Queue.new(@most)
      @workers = nil
      @outside = 0
      @pushed = @next = 0
      @handed_out = 0
      @ready = {}
    end

    # The first group is counted here, while the workers wait: for every piece of code that it compiles the JIT compiler
    # stops the Ractors that run, and waiting ones cost nothing. They are there already, because code that was compiled
    # for one Ractor alone is thrown away when a second begins.
    #
    # @param runs [Array<Run>] the first time about {WarmUp::BYTES}
    # @param bytes [Integer] how many these have
    # @return [void]
    # @raise [StandardError] what a worker has raised
    def push(runs, bytes = 0)
      receive
      number = @pushed
      @pushed += 1
      @workers ||= start
      return @ready[number] = WarmUp.run(bytes) { @callable.count_all(runs) } if number.zero?
      return @ready[number] = @callable.count_all(runs) if @outside >= @most

      @groups.push(Ractor.make_shareable([number, runs]))
      @outside += 1
      collect if Ratomic::HEAP_PER_RACTOR && (@handed_out += bytes) >= COLLECT_BYTES
    end

    # @yieldparam counted [CountRuns::Counted] of each group that is counted, the next in order
    # @return [void]
    def each_ready
      receive
      while (counted = @ready.delete(@next))
        @next += 1
        yield counted
      end
    end

    # No more groups come. Counts what no worker has begun, and waits for the rest.
    #
    # @return [void]
    # @raise [StandardError] what a worker has raised
    # @raise [Error] if a worker ended in the middle of a group
    def finish
      while (group = @groups.try_pop)
        @ready[group.first] = @callable.count_all(group.last)
        @outside -= 1
      end
      @groups.close
      @workers&.each(&:value!)
      receive
      raise Error, "a worker ended, and #{@outside} groups of rows were not counted" unless @outside.zero?
    end

    # Lets the workers go, whatever is left.
    #
    # @return [void]
    def close
      @groups.close
      @groups.clear
    end

    private

    def start
      work = CountGroups.new(@callable, @groups, @results)
      Array.new(@pool.size) { |number| @pool.dispatch_async([number], work, min_batch: 0) }
    end

    def collect
      @handed_out = 0
      GC.start
    end

    # A worker has no value before {#finish}, unless it failed.
    def receive
      @workers&.each { |worker| worker.value! if worker.ready? } unless @groups.closed?
      while (result = @results.try_pop)
        @ready[result.first] = result.last
        @outside -= 1
      end
    end
  end
end
