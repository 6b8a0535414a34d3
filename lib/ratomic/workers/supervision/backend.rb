# frozen_string_literal: true

module Ratomic
  module Workers
    # Where workers live: what the coordinator of a pool makes them of, and how a pool starts.
    module Backend
      # @param name [:ractor, :thread, :process]
      # @return [Module]
      def self.of(name)
        { ractor: Ractors, thread: Threads, process: Threads }.fetch(name)
      end

      # @yieldparam engine [Engine] before its coordinator waits for a message, unless that is in a Ractor of its own
      # @return [Engine]
      # @raise [NotImplementedError] elsewhere than in the main Ractor for worker processes, because Ruby does not fork
      #   there, and for a pool with a fallback, which is to run items in the main one
      def self.start(settings, &known)
        refuse_fallback(settings) if settings.falls_back? && !Ractor.main?
        LeafClasses.learn
        settings = of_processes(settings) if settings.backend == :process
        settings.backend == :inline ? UncoordinatedEngine.new(settings).tap(&known) : coordinate(settings, &known)
      end

      # In a worker process a pool of processes runs in there: its items are in parallel with others already.
      def self.of_processes(settings)
        if RACTORS && !Ractor.main?
          raise NotImplementedError, "backend: :process: start the pool #{settings.name} in the main Ractor " \
                                     "(Pool#start); Ruby does not fork in another one"
        end
        Processes.inside? ? settings.inline : settings
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
        answers = Queue.new(1)
        Ractor.new(settings, answers) { |from, back| Interrupts.allowed { Backend.host(from, back) } }
        answers.pop
      end

      # The main thread of such a Ractor. Its other threads end first, see {AtExit}.
      def self.host(settings, answers)
        Thread.current.report_on_exception = false
        coordinator = Coordinator.new(engine = Engine.new(settings, Mailbox.open))
        answers.push(engine)
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
        OwnThread.start("ratomic-coordinator") do
          coordinator.run
        ensure
          watch_over(coordinator) if Thread.main.alive? && !coordinator.ended?
        end
      end

      def self.refuse_fallback(settings)
        raise NotImplementedError, "fallback: #{settings.fallback.inspect}: start the pool #{settings.name} in the " \
                                   "main Ractor (Pool#start), where it is to run what fails in others"
      end
      private_class_method :of_processes, :coordinate, :host_elsewhere, :persist, :refuse_fallback
    end
  end
end

require_relative "backend/ractors"
require_relative "backend/threads"
