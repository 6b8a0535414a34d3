# frozen_string_literal: true

require_relative "actor"

module Soak
  # Forks. A child uses everything, and ends in time.
  class Forker < Actor
    TIMEOUT_S = 30

    def act
      sleep(@random.rand * 0.01)
      gently = chance(0.2)
      pid = fork { in_child(gently) }
      limit = Soak.now + TIMEOUT_S
      until (ended = Process.wait2(pid, Process::WNOHANG))
        give_up(pid) if Soak.now > limit
        sleep 0.001
      end
      raise Wrong, "a child ended with #{ended.last} (seed #{@stage.seed})" unless ended.last.success?
    end

    private

    # @param gently [Boolean] whether it ends with its `at_exit` handlers
    def in_child(gently)
      Work.begin_round
      items = Work.items(@random, 20)
      pool = @stage.pool(@random)
      Work.compare(items, pool.dispatch_async(items, Work).value(timeout: TIMEOUT_S), true) unless pool.shutdown?
      use_primitives
      gently ? exit(0) : exit!(0)
    rescue StandardError => e
      warn "in a child (seed #{@stage.seed}): #{e.full_message}"
      exit!(1)
    end

    def use_primitives
      map = Ratomic::Map.new
      queue = Ratomic::Queue.new(4)
      map[:key] = "value"
      queue << map.compute(:key, &:upcase)
      raise Wrong, "the child's Map and Queue" unless queue.pop == "VALUE"
    end

    def give_up(pid)
      Process.kill(:ABRT, pid) # its report goes to the log
      raise Wrong, "a child hangs (seed #{@stage.seed})"
    end
  end
end
