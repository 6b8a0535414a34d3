# frozen_string_literal: true

require_relative "actor"

module Soak
  # Dispatches, cancels, kills who waits or raises into it, waits too short, and looks at every result.
  class Caller < Actor
    TIMEOUT_S = 60

    def act
      items = Work.items(@random, 60)
      options = options_of
      future = dispatch(items, options) || return
      waiters = chance(0.15) && kill_one_that_waits(future) ? 1 : 0
      whole = options[:timeout].nil? && !meddle(future)
      results = in_a_way(future)
      Work.compare(items, results, whole && results.none? { |result| shut_down?(result) }, waiters)
    end

    private

    def options_of
      options = {}
      options[:timeout] = @random.rand * 0.05 if chance(0.15)
      options[:item_timeout] = 20 if chance(0.2)
      options[:sequential] = true if chance(0.1)
      options[:context] = :trace if chance(0.1)
      options
    end

    # @return [Ratomic::Workers::Future, nil] nil when the pool has just been shut down
    def dispatch(items, options)
      @stage.pool(@random).dispatch_async(items, Work, **options)
    rescue Ratomic::Workers::ShutdownError
      nil
    end

    # @return [Boolean] whether the dispatch was cancelled
    def meddle(future)
      raise_into_one_that_waits(future) if chance(0.15)
      future.wait(timeout: @random.rand * 0.001) if chance(0.15)
      return false unless chance(0.1)

      @random.rand(20).times { Thread.pass }
      future.cancel(interrupt: chance(0.3))
      true
    end

    def kill_one_that_waits(future)
      waiter = Thread.new { future.value }
      @random.rand(30).times { Thread.pass }
      waiter.kill.join
    end

    # No item fails of that.
    def raise_into_one_that_waits(future)
      waiter = Thread.new { future.value }
      waiter.report_on_exception = false
      @random.rand(30).times { Thread.pass }
      waiter.raise(IOError)
      waiter.join
    rescue IOError
      nil
    end

    # All the ways to the results.
    def in_a_way(future)
      case @random.rand(4)
      when 0 then future.each(timeout: TIMEOUT_S).to_a
      when 1 then future.each_completed(timeout: TIMEOUT_S).to_a.sort_by(&:last).map(&:first)
      else future.value(timeout: TIMEOUT_S)
      end
    end

    # A pool that another actor kills ends what is in it.
    def shut_down?(result)
      Ratomic::Workers::Failure === result && result.exception_class == "Ratomic::Workers::ShutdownError"
    end
  end
end
