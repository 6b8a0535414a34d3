# frozen_string_literal: true

# Ends an operation at each point where an interrupt can come: Ruby looks for interrupts at the end of a method, of a
# block and of a native method. Such points are counted while the operation runs through files of the library.
module Interruption
  FILES = "#{File.expand_path("../../lib/ratomic", __dir__)}/".freeze
  EVENTS = %i[return b_return c_return].freeze
  MAX_POINTS = 5000

  # What is raised. No StandardError: that could be taken for an error of the user's code.
  Injected = Class.new(Exception) # rubocop:disable Lint/InheritException

  # Runs the operation once for each of its points, each time in a new thread, which is ended there. Fails if it has
  # none.
  # @param way [:raise, :kill] `Thread#raise` or `Thread#kill`
  # @param first [Integer] the first point
  # @param step [Integer] from one point to the next
  # @param operation [#call] in which nothing else is raised: Ruby cannot raise in a hook while another error unwinds
  # @yieldparam point [String] to be told where a check fails; called after each run
  # @return [Integer] how often it was ended
  def interrupt_everywhere(way, operation, first: 1, step: 1)
    ended = 0
    first.step(MAX_POINTS, step) do |number|
      point = interrupted_at(number, way, operation)
      flunk "the operation has no point where it can be interrupted" if point.nil? && number == 1
      yield point || "not interrupted"
      return ended if point.nil?

      ended += 1
    end
    flunk "the operation has no end"
  end

  private

  # @return [String, nil] where the operation was ended; nil if it has fewer points
  def interrupted_at(number, way, operation)
    point = nil
    within(20) do
      thread = Thread.new do
        Thread.current.report_on_exception = false
        tracer = tracer(Thread.current, number) do |place|
          point = place
          interrupt(Thread.current, way)
        end
        tracer.enable
        operation.call
      ensure
        tracer&.disable
      end
      thread.join
    rescue Injected
      nil
    end
    point
  end

  def tracer(target, number)
    seen = 0
    TracePoint.new(*EVENTS) do |trace|
      next unless Thread.current.equal?(target) && trace.path.start_with?(FILES) && (seen += 1) == number

      yield "#{trace.event} of #{trace.method_id} in #{trace.path.delete_prefix(FILES)}:#{trace.lineno}"
    end
  end

  # A thread that kills itself ends at once, whatever its masks are; so another one does it.
  def interrupt(thread, way)
    return thread.raise(Injected, "an interrupt") if way == :raise

    Thread.handle_interrupt(Object => :never) { Thread.new { thread.kill }.join }
  end
end
