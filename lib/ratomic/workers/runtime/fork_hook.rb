# frozen_string_literal: true

module Ratomic
  module Workers # :nodoc:
    # A forked child has none of the workers. It learns so at once, so that nobody in it waits for them, and its pools
    # start anew with the next dispatch.
    #
    # No coordinator waits on its port meanwhile: CRuby 4.0.5 keeps a list of those threads on their stacks, which the
    # child gives to its own threads, so that it crashes or never comes back from a lock.
    module ForkHook
      # Seconds that all coordinators together get to leave their ports.
      HOLD_TIMEOUT_S = 0.5
      # Forks that are under way: number => Completion, filled when it is done.
      FORKS = Map.new
      NUMBERS = Counter.new

      def _fork
        ForkHook.around { super }
      end

      # Forks without a call of `_fork`, and returns in the child only.
      def daemon(*)
        ForkHook.around { super }
      end

      # Whatever goes wrong in here, the fork itself is done as if nothing had been prepared for it, and its block runs.
      # @yieldreturn [Integer] 0 in the child
      def self.around
        number = NUMBERS.increment
        done = Completion.new(1)
        attempt do
          FORKS[number] = done
          hold(done)
        end
        pid = yield
        in_child if pid.zero?
        pid
      ensure
        attempt { FORKS.delete(number) }
        attempt { done&.fill(true) }
      end

      # Takes the coordinators from their ports. One that is not known yet looks for forks first ({await}), so that one
      # of the two sees the other.
      # @param done [Completion] to be filled when they may go back
      def self.hold(done)
        held = Pool::RUNNING.values.filter_map do |_, engine|
          here = Completion.new(1)
          here if attempt { engine.backend != :inline && engine.post([:hold, here, done].freeze) }
        end
        limit = Clock.now + HOLD_TIMEOUT_S
        held.each { |here| here.wait(Clock.left(limit)) }
      end

      # A coordinator that begins waits for the forks that are under way.
      def self.await
        FORKS.values.each { |done| done.wait(Coordinator::STOP_TIMEOUT_S) }
      end

      # One step after the other, each whatever became of the one before.
      def self.in_child
        attempt { FORKS.clear } # those of other threads go on in the parent only
        attempt { AtExit.forget }
        attempt { Processes.in_child }
        attempt { LocalPool::RactorPools.in_child }
        attempt { StatsServer.in_child } if Workers.const_defined?(:StatsServer, false)
        running = attempt { Pool::RUNNING.values } || []
        running.each do |pool, engine|
          attempt { pool.drop(engine) }
          attempt { engine.lose }
        end
        attempt { Pool::RUNNING.clear }
        # Some that a worker or a coordinator had are known to those only. The structures themselves are asked, not
        # ObjectSpace: that one shows what another Ractor had only allocated, or, with a heap for each, nothing of it.
        attempt { Completion.lose(PoolFailures::FORKED) }
      end

      # @return [Object, nil] what the block returns; nil when it raises
      def self.attempt
        yield
      rescue StandardError => e
        warn "ratomic, in a fork: #{e.full_message}" if $DEBUG
        nil
      end
    end

    Process.singleton_class.prepend(ForkHook)
  end
end
