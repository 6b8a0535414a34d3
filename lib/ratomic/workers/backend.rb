# frozen_string_literal: true

module Ratomic
  module Workers
    # Where workers live. A backend makes an engine with a coordinator, and makes workers for that.
    module Backend
      # @param name [:ractor, :thread, :inline]
      # @return [Module]
      def self.of(name)
        { ractor: Ractors, thread: Threads, inline: Inline }.fetch(name)
      end

      # Starts a coordinator in a thread of this Ractor.
      # @return [Engine]
      def self.coordinate(settings)
        engine = Engine.new(settings, Mailbox.open)
        watch_over(Coordinator.new(engine))
        engine
      end

      # A coordinator that somebody else's code kills is put back to its work. (When the program ends the main thread is
      # the first that is not alive.)
      def self.watch_over(coordinator)
        ::Thread.new do
          ::Thread.current.name = "ratomic-coordinator"
          ::Thread.current.report_on_exception = false
          coordinator.run
        ensure
          watch_over(coordinator) if ::Thread.main.alive? && !coordinator.ended?
        end
      end
    end
  end
end

require_relative "backend/ractors"
require_relative "backend/threads"
require_relative "backend/inline"
