# frozen_string_literal: true

class Server
  # Serves many connections at a time in one thread of a worker, each in a Fiber. While one waits (for its client, the
  # other server, a connection out of the LocalPool, a sleep), the others run.
  class Fibers
    # @param site [Site]
    def initialize(site)
      @site = site
      @room = Thread::Queue.new
      site.fibers.times { @room << true }
      @scheduler = Scheduler.new
    end

    # Returns when there are no more connections. When the thread is killed, its Fibers are ended.
    # @return [void]
    # @raise [Exception] what has ended a Fiber
    def run
      Fiber.set_scheduler(@scheduler)
      Fiber.schedule { take }
      @scheduler.run
    ensure
      @scheduler.stop
      Fiber.set_scheduler(nil) # closes it, here and not when the thread is gone and may be killed
    end

    private

    # Takes a connection only when there is room for it: others of this server may be free.
    def take
      while @room.pop && (number = @site.connections.pop)
        serve(number)
      end
    end

    def serve(number)
      Fiber.schedule do
        Connection.new(number, @site).serve
      ensure
        @room << true
      end
    end
  end
end
