# frozen_string_literal: true

module Ratomic
  module Workers # :nodoc:
    # A forked child has none of the workers. It learns so at once, so that nobody in it waits for them, and its pools
    # start anew with the next dispatch.
    module ForkHook
      def _fork
        pid = super
        ForkHook.in_child if pid.zero?
        pid
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
