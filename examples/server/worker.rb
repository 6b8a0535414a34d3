# frozen_string_literal: true

class Server
  # What runs in the Ractor of a worker: its main thread listens to orders, the others serve. So a request that hangs
  # cannot keep the worker from being told to end.
  class Worker
    # @param site [Site]
    # @param orders [Ratomic::Queue] :kill, and what the threads say
    def initialize(site, orders)
      @site = site
      @orders = orders
    end

    # Returns when there are no more connections, or when it was told to end.
    # @return [void]
    # @raise [Exception] what has ended a thread
    def run
      threads = Array.new(@site.threads) { Thread.new { work } }
      left = threads.size
      left -= 1 while left.positive? && @orders.pop == :done
      threads.each(&:kill)
      threads.each(&:join) # raises what one of them has raised
    ensure
      threads&.each(&:kill)
    end

    private

    def work
      Thread.current.report_on_exception = false
      ended = :crashed
      while (number = @site.connections.pop)
        Connection.new(number, @site).serve
      end
      ended = :done
    ensure
      @orders.push(ended, timeout: 1)
    end
  end
end
