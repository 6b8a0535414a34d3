# frozen_string_literal: true

class Server
  # The place of one worker: a thread that starts it, waits for its end, and starts another one when it has died.
  class Seat
    # A worker that lives shorter than this, in seconds, is followed by the next one only after as long a pause.
    SHORT_WAIT_S = 0.1

    # Runs a worker, in its Ractor.
    # @return [:done, :died]
    def self.work(site, orders)
      Worker.new(site, orders).run
      :done
    rescue Exception # rubocop:disable Lint/RescueException -- whatever it was, the next worker starts
      :died
    end

    # @param site [Site]
    def initialize(site)
      @site = site
      @orders = Ratomic::Queue.new(256)
    end

    # @return [void]
    def start
      @thread = Thread.new { fill }
    end

    # The worker ends where it stands, unless it is in a native call that cannot be interrupted.
    # @return [void]
    def kill
      @killed = true
      @orders.push(:kill)
    end

    # @return [Object, nil] nil when the time was up
    def join(seconds = nil)
      @thread.join(seconds)
    end

    private

    def fill
      until @killed
        began = Process.clock_gettime(Process::CLOCK_MONOTONIC)
        return if life == :done

        @site.figures.crashes.increment unless @killed
        sleep(SHORT_WAIT_S) if Process.clock_gettime(Process::CLOCK_MONOTONIC) - began < SHORT_WAIT_S
        @orders.clear
      end
    end

    # @return [:done, :died]
    def life
      return Seat.work(@site, @orders) unless Ratomic::RACTORS

      Ractor.new(@site, @orders) { |site, orders| Seat.work(site, orders) }.value
    rescue Ractor::Error
      :died # the whole Ractor, which cannot say what of
    end
  end
end
