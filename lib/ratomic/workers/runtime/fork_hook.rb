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
      PATIENCE = 0.5
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

      # @yieldreturn [Integer] 0 in the child
      def self.around
        FORKS[number = NUMBERS.increment] = done = Completion.new(1)
        hold(done)
        pid = yield
        in_child if pid.zero?
        pid
      ensure
        FORKS.delete(number)
        done&.fill(true)
      end

      # Takes the coordinators from their ports. One that is not known yet looks for forks first ({await}), so that one
      # of the two sees the other.
      # @param done [Completion] to be filled when they may go back
      def self.hold(done)
        held = Pool::RUNNING.values.filter_map do |_, engine|
          here = Completion.new(1)
          here if engine.backend != :inline && engine.post([:hold, here, done].freeze)
        end
        limit = Clock.now + PATIENCE
        held.each { |here| here.wait(Clock.left(limit)) }
      end

      # A coordinator that begins waits for the forks that are under way.
      def self.await
        FORKS.values.each { |done| done.wait(Coordinator::PATIENCE) }
      end

      def self.in_child
        FORKS.clear # those of other threads go on in the parent only
        AtExit.forget
        LocalPool::Rooms.in_child
        busy = !Pool::RUNNING.values.all? { |_, engine| engine.idle? }
        Pool::RUNNING.values.each do |pool, engine|
          pool.drop(engine)
          engine.lose
        end
        Pool::RUNNING.clear
        # Some that a worker or a coordinator had are known to those only.
        ObjectSpace.each_object(Batch) { |batch| batch.stop(Verdict::FORKED) } if busy
      end
    end

    Process.singleton_class.prepend(ForkHook)
  end
end
