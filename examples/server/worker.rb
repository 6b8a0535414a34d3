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
      word = :done
      left -= 1 while left.positive? && (word = @orders.pop) == :done
      @ending = true
      threads.each(&:kill)
      threads.each(&:join) # raises what one of them has raised, unless it was killed before its end
      raise ThreadError, "a thread of the worker has crashed" if word == :crashed
    ensure
      @ending = true
      threads&.each(&:kill)
    end

    private

    def work
      Thread.current.report_on_exception = false
      ended = :crashed
      @site.fibers.zero? ? serve : Fibers.new(@site).run
      ended = :done
    ensure # a thread that is killed because another one has crashed must not report a crash of the next worker
      @orders.push(ended, timeout: 1) unless @ending
    end

    def serve
      while (number = @site.connections.pop)
        Connection.new(number, @site).serve
      end
    end
  end
end
