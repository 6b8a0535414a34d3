# frozen_string_literal: true

# The reference that Ratomic::Workers is measured against: a plain thread-coordinated Ractor pool, as the talk draws it.
# Callers push onto a Thread::Queue, a coordinator thread pairs work with a worker that has said over a port that it is
# ready, sends it with `move: true`, and the worker sends the results to the future's own port. An item that raises
# becomes a marker. There is nothing else: no cancellation, deadlines, metrics or supervision.
class TalkPool
  FAILED = :failed

  # Results of one dispatch; one port each.
  class Future
    def initialize(port, parts)
      @port = port
      @parts = parts
    end

    def value
      results = Array.new(@parts)
      @parts.times do
        index, part = @port.receive
        results[index] = part
      end
      @port.close
      @parts == 1 ? results[0] : results.flatten(1)
    end
  end

  def initialize(size)
    @size = size
    @work = Thread::Queue.new
    @ready = Ractor::Port.new
    @workers = Array.new(size) { TalkPool.start_worker(@ready) }
    @coordinator = Thread.new { coordinate }
  end

  def self.start_worker(ready)
    Ractor.new(ready) do |coordinator|
      mine = Ractor::Port.new
      loop do
        coordinator.send(mine)
        work = mine.receive
        break if work == :stop

        items, callable, result_port, index = work
        results = items.map do |item|
          callable.call(item)
        rescue StandardError
          FAILED
        end
        result_port.send([index, results])
      end
    end
  end

  # One part for each worker, or fewer where there are fewer items.
  def dispatch_async(items, callable)
    port = Ractor::Port.new
    parts = items.each_slice((items.size / @size.to_f).ceil).to_a
    parts.each_with_index { |part, index| @work.push([part, callable, port, index]) }
    Future.new(port, parts.size)
  end

  def shutdown
    @size.times { @work.push(:stop) }
    @coordinator.join
    @workers.each(&:join)
  end

  private

  def coordinate
    stopped = 0
    while stopped < @size
      work = @work.pop
      stopped += 1 if work == :stop
      @ready.receive.send(work, move: true)
    end
  end
end
