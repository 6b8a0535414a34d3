# frozen_string_literal: true

require "socket"

module WorkersBench
  # One item to a worker process and back, beside a byte through a bare socket pair to a forked process and back.
  #
  # Where the kernel puts the other process decides the time. On the processor of the caller a byte there and back takes
  # two switches of context. On another processor it wakes that one from its idle state, twice. The kernel may leave an
  # echo on the processor of its caller; a worker process has work, and is moved. So both are measured three times:
  # where the kernel puts them, with the other process on another processor, and with all on one.
  class RoundTrip
    TRIPS = 1_000
    MAX_SHARE = 3

    # The item.
    module Same
      def self.call(item)
        item
      end
    end

    # Where it runs.
    module Whose
      def self.call(_item)
        Process.pid
      end
    end

    # @param bench [Bench]
    def initialize(bench)
      @bench = bench
    end

    # @return [void]
    def run
      @bench.title "One item there and back"
      pool = Ratomic::Workers::Pool.new(size: 1, backend: :process, min_batch: 0).start
      with_bare_pair do |pair, echo|
        compare("", pair, pool)
        placed(echo, pool.map([1], Whose).first) { |place| compare(", #{place}", pair, pool) }
      end
    ensure
      pool&.shutdown
    end

    private

    def compare(place, pair, pool)
      bare = "a bare socket pair#{place}"
      item = "an item#{place}"
      times = @bench.compare({ bare => -> { trips { pair.write("x") && pair.readpartial(9) } },
                               item => -> { trips { pool.dispatch_async([1], Same).value } } },
                             rounds: @bench.rounds * 3)
      times.each { |name, time| @bench.show(name, time, "us") }
      @bench.ask("#{item} / #{bare}", @bench.share(item, of: bare), at_most: MAX_SHARE)
    end

    # Yields once for each placement. Needs `taskset` (util-linux) and two processors.
    # @param others [Array<Integer>] pids of the processes to which this one talks
    def placed(*others)
      before = processors
      return puts("  (not placed: no taskset here, or one processor)") unless before && before.size > 1

      pin(Process.pid, before[0])
      { "on another processor" => before[1], "all on one processor" => before[0] }.each do |place, processor|
        others.each { |pid| pin(pid, processor) }
        yield place
      end
    ensure
      [Process.pid, *others].each { |pid| pin(pid, before.join(",")) } if before
    end

    # @return [Array<Integer>, nil] processors on which this process may run
    def processors
      listed = IO.popen(["taskset", "-cp", Process.pid.to_s], err: File::NULL, &:read)[/: ([\d,-]+)$/, 1]
      listed&.split(",")&.flat_map { |part| Range.new(*part.split("-").values_at(0, -1).map(&:to_i)).to_a }
    rescue SystemCallError
      nil
    end

    # All threads of the process.
    def pin(pid, processors)
      system("taskset", "-acp", processors.to_s, pid.to_s, out: File::NULL)
    end

    def trips
      times = Array.new(TRIPS) do
        started = WorkersBench.now
        yield
        (WorkersBench.now - started) * 1e6
      end
      WorkersBench.median(times)
    end

    def with_bare_pair
      here, there = UNIXSocket.pair
      pid = fork { echo(there, here) }
      there.close
      yield here, pid
    ensure
      here.close
      Process.wait(pid)
    end

    def echo(socket, other)
      other.close
      loop { socket.write(socket.readpartial(9)) }
    rescue SystemCallError, EOFError
      exit!(0)
    end
  end
end
