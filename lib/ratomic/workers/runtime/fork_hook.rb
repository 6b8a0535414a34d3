# frozen_string_literal: true

module Ratomic
  module Workers # :nodoc:
    # Prepares for a fork, and cleans up in the child. The child has none of the workers. So it gives a Failure to all
    # items without a result, so that no thread of the child waits for them, and its pools start again with the next
    # dispatch.
    #
    # During a fork no coordinator may wait on its port. CRuby 4.0.5 keeps a list of waiting threads in the stacks of
    # these threads; the child uses those stacks for its own threads, and then crashes or hangs at a lock.
    module ForkHook
      # How long all coordinators together may take to leave their ports.
      HOLD_TIMEOUT_S = 0.5
      # Forks that are under way: number => Completion, filled when it is done.
      FORKS = Map.new
      NUMBERS = Counter.new
      # In a child, where each Ractor has a heap: number => port of a coordinator of its parent. A message may be under
      # way to it, and nobody in the child closes it. In a snapshot of Ruby 4.1 a process crashes if such a port is
      # collected before.
      PORTS = Map.new

      def _fork
        ForkHook.around { super }
      end

      # Forks without a call of `_fork`, and returns in the child only.
      def daemon(*)
        ForkHook.around { super }
      end

      # Runs the fork. An error in the preparation does not prevent the fork.
      # @yieldreturn [Integer] 0 in the child
      def self.around
        number = NUMBERS.increment
        done = Completion.new(1)
        attempt do
          FORKS[number] = done
          alone { hold(done) }
        end
        pid = yield
        after_fork if pid.zero?
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

      # Runs the block so that a Fiber scheduler lets no other Fiber run where it waits: no program expects that of a
      # fork.
      def self.alone(&block)
        Fiber.current_scheduler ? Fiber.new(blocking: true, &block).resume : yield
      end

      # A starting coordinator waits for the forks that are under way.
      def self.await
        FORKS.values.each { |done| done.wait(Coordinator::STOP_TIMEOUT_S) }
      end

      # The parts of the library that keep something of this process. The `after_fork` of each forgets, in the child,
      # what has stayed in the parent.
      # @return [Array<#after_fork>]
      def self.parts
        parts = [AtExit, Processes, LocalPool::RactorStacks, History]
        parts << StatsServer if Workers.const_defined?(:StatsServer, false)
        parts
      end

      # Called in the child. Takes each step, also if an earlier one has raised.
      def self.after_fork
        attempt { FORKS.clear } # forks of other threads happen in the parent only
        (attempt { parts } || []).each { |part| attempt { part.after_fork } }
        lose_pools
        # Only a worker or a coordinator of the parent has known some of the completions. They are found in the registry
        # of native structures and not in ObjectSpace, which shows also objects that another Ractor had only allocated,
        # or, on a Ruby with a heap for each Ractor, none of its objects.
        attempt { Completion.fail_pending(PoolFailures::FORKED) }
      end

      # The pools of the parent have no workers here.
      def self.lose_pools
        running = attempt { Pool::RUNNING.values } || []
        running.each do |pool, engine|
          attempt { PORTS[NUMBERS.increment] = engine.mailbox if HEAP_PER_RACTOR && engine.mailbox }
          attempt { pool.drop(engine) }
          attempt { engine.lose }
        end
        attempt { Pool::RUNNING.clear }
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
