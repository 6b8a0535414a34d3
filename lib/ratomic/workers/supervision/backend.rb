# frozen_string_literal: true

require_relative "backend/threads"
require_relative "backend/ractors"
require_relative "backend/processes"
require_relative "backend/inline"

module Ratomic
  module Workers
    # What the workers of a pool are made of, and how a pool starts. Each backend is a module in the folder `backend/`
    # that answers what {Defaults} lists.
    module Backend
      ALL = { ractor: Ractors, thread: Threads, process: Processes, inline: Inline }.freeze
      private_constant :ALL

      # @param name [:ractor, :thread, :process, :inline]
      # @return [Module]
      # @raise [KeyError]
      def self.of(name)
        ALL.fetch(name)
      end

      # @return [Array<Symbol>]
      def self.names
        ALL.keys
      end

      # Starts a pool.
      # @param settings [Settings]
      # @yieldparam engine [Engine] before its coordinator waits for a message, unless the coordinator has its own
      #   Ractor
      # @return [Engine]
      # @raise [NotImplementedError] where such a pool cannot be started in this Ractor
      def self.start(settings, &known)
        LeafClasses.learn
        settings.kind.start(settings, &known)
      end

      # Starts a coordinator. It is a thread of the main Ractor. A pool that another Ractor starts must outlive that
      # Ractor, so its coordinator gets a Ractor of its own (with its workers, if they are threads).
      def self.coordinate(settings)
        elsewhere = RACTORS && !Ractor.main?
        engine = elsewhere ? host_elsewhere(settings) : Engine.new(settings, Mailbox.open)
        yield engine
        watch_over(Coordinator.new(engine)) unless elsewhere
        engine
      end

      def self.host_elsewhere(settings)
        promise = StartPromise.new
        Ractor.new(settings, promise) { |from, awaited| Interrupts.allowed { Backend.host(from, awaited) } }
        promise.await("the Ractor of the pool's coordinator", &:kill)
      end

      # The main thread of such a Ractor. Its other threads end first, see {AtExit}.
      def self.host(settings, promise)
        Thread.current.report_on_exception = false
        coordinator = nil
        awaited = promise.fulfil do
          engine = Engine.new(settings, Mailbox.open)
          coordinator = Coordinator.new(engine)
          engine
        end
        return unless awaited

        persist(coordinator)
        limit = Clock.now + Coordinator::STOP_TIMEOUT_S
        (Thread.list - [Thread.current]).each { |thread| thread.join(Clock.left(limit)) }
      end

      # Workers that are threads of this Ractor may raise anything into its main thread.
      def self.persist(coordinator)
        coordinator.run
      rescue Exception # rubocop:disable Lint/RescueException -- see above
        retry unless coordinator.ended?
      end

      # A coordinator that somebody else's code kills is put back to its work. (When the program ends the main thread is
      # the first that is not alive.)
      def self.watch_over(coordinator)
        Interrupts.deferred do
          OwnThread.start("ratomic-coordinator", deferred: true) do
            coordinator.run
          ensure
            revive(coordinator) if Thread.main.alive? && !coordinator.ended?
          end
        end
      end

      # If Ruby can make no other thread, the one that was killed goes on: a thread that has begun to end can wait, and
      # cannot be killed again.
      def self.revive(coordinator)
        watch_over(coordinator)
      rescue ThreadError => e
        coordinator.trouble(e)
        persist(coordinator)
      end
      private_class_method :host_elsewhere, :persist, :revive
    end
  end
end
