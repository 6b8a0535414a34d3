# frozen_string_literal: true

module Ratomic
  module Workers # :nodoc:
    # What happens around a fork. The child has none of the workers: it fails what they had to do, so that no thread of
    # the child waits for it, and its pools start anew with the next dispatch.
    #
    # During a fork no coordinator may wait on its port. CRuby 4.0.5 keeps a list of waiting threads in the stacks of
    # these threads; the child uses those stacks for its own threads, and then crashes or hangs at a lock.
    module ForkHook
      # How long all coordinators together may take to leave their ports.
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

      # Whatever goes wrong in here, the fork itself is made and its block runs.
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

      # Makes the coordinators leave their ports. A coordinator that is just starting is not known here yet; it asks for
      # forks before it waits ({await}). So one of the two always sees the other.
      # @param done [Completion] filled when they may return to their ports
      def self.hold(done)
        held = Pool::RUNNING.values.filter_map do |_, engine|
          here = Completion.new(1)
          here if attempt { engine.mailbox && engine.post([:hold, here, done].freeze) }
        end
        limit = Clock.now + HOLD_TIMEOUT_S
        held.each { |here| here.wait(Clock.left(limit)) }
      end

      # A starting coordinator waits for the forks that are under way.
      def self.await
        FORKS.values.each { |done| done.wait(Coordinator::STOP_TIMEOUT_S) }
      end

      # Each step is taken whatever became of the one before.
      def self.in_child
        attempt { FORKS.clear } # those of other threads go on in the parent only
        attempt { AtExit.forget }
        attempt { Processes.in_child }
        attempt { LocalPool::RactorPools.in_child }
        attempt { History.in_child }
        attempt { StatsServer.in_child } if Workers.const_defined?(:StatsServer, false)
        running = attempt { Pool::RUNNING.values } || []
        running.each do |pool, engine|
          attempt { pool.drop(engine) }
          attempt { engine.lose }
        end
        attempt { Pool::RUNNING.clear }
        # Some that a worker or a coordinator had are known to those only. The structures themselves are asked, not
        # ObjectSpace: that one shows what another Ractor had only allocated, or, with a heap for each, nothing of it.
        attempt { Completion.fail_pending(PoolFailures::FORKED) }
      end

      # @return [Object, nil] what the block returns; nil when it raises
      def self.attempt
        yield
      rescue StandardError => e
        ErrorWarning.once(Failure.from(e, nil), "the fork hook")
        nil
      end
    end

    Process.singleton_class.prepend(ForkHook)
  end
end
