# frozen_string_literal: true

class Server
  # A Fiber scheduler with what a server needs: Fibers that wait for a socket, for a time, or for a Queue, a Mutex or a
  # native wait of Ratomic. It belongs to one thread. It waits with `select`, so each turn looks at every waiting Fiber:
  # meant for some hundreds of them.
  class Scheduler
    # Raised in the Fibers that are left when the thread must end. An application rescues it no more than Thread#kill.
    class Stopped < Exception # rubocop:disable Lint/InheritException
    end

    # What a Fiber waits for: a socket and its events, or neither; and until when, or for ever.
    Wait = Struct.new(:io, :events, :deadline)

    def initialize
      @waiting = {}
      @woken = Thread::Queue.new
      @wake, @alarm = IO.pipe
    end

    # Called by `Fiber.schedule`.
    def fiber(&block)
      Fiber.new(blocking: false, &block).tap(&:resume)
    end

    # Called by `sleep`.
    def kernel_sleep(seconds = nil)
      wait(Wait.new(nil, 0, seconds && (now + seconds)))
      true
    end

    # Called by whatever waits for other Fibers and threads.
    # @return [Boolean] false when the time was up
    def block(_blocker, seconds = nil)
      wait(Wait.new(nil, 0, seconds && (now + seconds))) ? true : false
    end

    # Called by any thread of this Ractor, also by a thread that ends after this scheduler was closed. So it must not
    # raise.
    def unblock(_blocker, fiber)
      @woken << fiber
      @alarm.write_nonblock(".", exception: false)
    rescue IOError
      nil # closed
    end

    # Called by Ruby 4.0 where another thread closes what the Fiber waits for.
    def fiber_interrupt(fiber, error)
      unblock(nil, [fiber, error])
    end

    # Called by reads and writes that would wait.
    # @return [Integer, false] the events that have come; false when the time was up
    def io_wait(io, events, seconds = nil)
      wait(Wait.new(io, events, seconds && (now + seconds))) || false
    end

    # Runs until no Fiber waits. What a Fiber raises is raised here.
    # @return [void]
    def run
      turn until @waiting.empty?
    end

    # Ends the Fibers that wait. One that waits again in spite of that is left where it is.
    # @return [void]
    def stop
      @stopped = true
      @waiting.keys.each do |fiber|
        go_on(fiber) { fiber.raise(Stopped) }
      rescue Stopped
        nil # it has ended
      end
    end

    # Called by Ruby at the end of the thread.
    def close
      run unless @stopped
      [@wake, @alarm].each(&:close)
    end

    private

    def wait(wait)
      @waiting[Fiber.current] = wait
      Fiber.yield
    ensure
      @waiting.delete(Fiber.current)
    end

    def turn
      ready = select
      @wake.read_nonblock(1_000, exception: false) if ready.include?(@wake)
      @woken.size.times { wake(@woken.pop) }
      time = now
      @waiting.to_a.each do |fiber, wait|
        events = ready.fetch(wait.io, 0) & wait.events
        go_on(fiber) { fiber.resume(events) } if events.positive?
        go_on(fiber) { fiber.resume(nil) } if wait.deadline && wait.deadline <= time && @waiting[fiber].equal?(wait)
      end
    end

    # @return [Hash{IO => Integer}] events by socket
    def select
      reading, writing = [IO::READABLE, IO::WRITABLE].map do |event|
        @waiting.each_value.filter_map { |wait| wait.io if wait.events.anybits?(event) }
      end
      nearest = @waiting.each_value.filter_map(&:deadline).min
      found = IO.select([@wake, *reading], writing, nil, nearest && [nearest - now, 0].max) || [[], []]
      ready = Hash.new(0).compare_by_identity
      found.zip([IO::READABLE, IO::WRITABLE]) { |list, event| list.each { |io| ready[io] |= event } }
      ready
    end

    def wake(fiber)
      fiber, error = fiber
      go_on(fiber) { error ? fiber.raise(error) : fiber.resume(true) }
    end

    # One that has ended, or waits no more, is left alone.
    def go_on(fiber)
      yield if @waiting.key?(fiber) && fiber.alive?
    end

    def now
      Process.clock_gettime(Process::CLOCK_MONOTONIC)
    end
  end
end
