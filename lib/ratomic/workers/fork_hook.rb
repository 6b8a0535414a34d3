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

      def _fork
        done = ForkHook.hold
        pid = super
        ForkHook.in_child if pid.zero?
        pid
      ensure
        done&.fill(true)
      end

      # Forks without a call of `_fork`, and returns in the child only.
      def daemon(*)
        done = ForkHook.hold
        super.tap { ForkHook.in_child }
      ensure
        done&.fill(true)
      end

      # Takes the coordinators from their ports.
      # @return [Completion] to be filled when they may go back
      def self.hold
        done = Completion.new(1)
        held = Pool::RUNNING.values.filter_map do |_, engine|
          here = Completion.new(1)
          here if engine.backend != :inline && engine.post([:hold, here, done].freeze)
        end
        limit = Agenda.now + PATIENCE
        held.each { |here| here.wait([limit - Agenda.now, 0].max) }
        done
      end

      def self.in_child
        Pool::RUNNING.values.each do |pool, engine|
          pool.drop(engine)
          engine.lose
        end
        Pool::RUNNING.clear
      end
    end

    Process.singleton_class.prepend(ForkHook)
  end
end
