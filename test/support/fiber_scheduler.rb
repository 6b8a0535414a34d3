# frozen_string_literal: true

# A small Fiber scheduler, with what tests need: naps, waits for other threads, timeouts. Readiness of IO is waited for
# with `select`.
class FiberScheduler
  def self.run(&block)
    within = Thread.new do
      Fiber.set_scheduler(new)
      block.call
    end
    within.report_on_exception = false
    within.value
  end

  def initialize
    @ready = []
    @unblocked = Thread::Queue.new
    @sleeping = {} # Fiber => when it is to go on
    @blocked = {}
    @readable = {}
    @wake, @timer_thread = IO.pipe
  end

  def fiber(&block)
    Fiber.new(blocking: false, &block).tap(&:resume)
  end

  def kernel_sleep(seconds = nil)
    block(:sleep, seconds)
    true
  end

  # @return [Boolean] false when the time was up
  def block(_blocker, seconds = nil)
    fiber = Fiber.current
    @blocked[fiber] = true
    @sleeping[fiber] = now + seconds if seconds
    Fiber.yield
  ensure
    @blocked.delete(fiber)
    @sleeping.delete(fiber)
  end

  def unblock(_blocker, fiber)
    @unblocked << fiber
    @timer_thread.write_nonblock(".")
  end

  # Asked for by Ruby 4.0.
  def fiber_interrupt(fiber, error)
    unblock(:interrupt, [fiber, error])
  end

  def io_wait(io, events, seconds = nil)
    @readable[io] = Fiber.current
    block(io, seconds) ? events : false
  ensure
    @readable.delete(io)
  end

  def timeout_after(seconds, kind, message)
    fiber = Fiber.current
    over = false
    watch = fiber do
      kernel_sleep(seconds)
      over ||= fiber.raise(kind, message)
    end
    yield seconds
  ensure
    over = true
    @sleeping[watch] = 0 if @sleeping[watch]
  end

  # Runs its Fibers until the block says that it is done, or none is left.
  def run_until
    turn until yield || @blocked.empty?
  end

  def close
    run_until { false }
    [@wake, @timer_thread].each(&:close)
  end

  private

  def turn
    wait
    take(@unblocked.pop) until @unblocked.empty?
    @sleeping.select { |_, at| at <= now }.each_key { |fiber| resume(fiber, false) }
  end

  def wait
    nearest = @sleeping.values.min
    readable, = IO.select([@wake, *@readable.keys], nil, nil, nearest && [nearest - now, 0].max)
    (readable || []).each { |io| io.equal?(@wake) ? @wake.read_nonblock(1_000) : resume(@readable[io], true) }
  end

  def take(fiber)
    fiber, error = fiber
    return resume(fiber, true) unless error

    fiber.raise(error) if fiber.alive? && @blocked[fiber]
  end

  def resume(fiber, answer)
    fiber.resume(answer) if fiber&.alive? && @blocked[fiber]
  end

  def now
    Process.clock_gettime(Process::CLOCK_MONOTONIC)
  end
end
