# frozen_string_literal: true

module Ratomic
  module Workers
    # A thread that runs chunks in the place of a worker whose item waits, see {NestedDispatch}: of the dispatch that is
    # waited for, or what stands in the run queue of the pool.
    #
    # It is a thread of its own. Who has what he waited for goes on at once, and so does who is ended while he waits;
    # what is run may have others that wait for it, and may want a lock that the waiting item holds. (In Java's
    # ForkJoinPool a thread that stands in for one that waits compensates.)
    module HelperThread
      NAME = "ratomic-helper"

      class << self
        # Runs what nobody has claimed yet of a batch, while the block waits for it.
        # @return what the block returns
        def help(engine, batch)
          return yield unless batch.unclaimed.positive? && engine.backend.helpers?

          enough = false
          start(NestedDispatch.own_engine, NestedDispatch.engines) do
            parts = [batch]
            run(engine, batch) { step(engine, parts) until enough || parts.empty? || batch.completion.complete? }
          ensure
            parts&.each { |part| engine.give_back(part) unless part.equal?(batch) }
          end
          yield
        ensure
          enough = true
          engine.run_queue.leave_behind
        end

        # Whether all workers of a pool wait, and one of them for a pool that waits for it. What they wait for may stand
        # in its run queue then, where nobody would take it.
        def needed?(engine)
          engine.run_queue.deserted? && circle?(engine)
        end

        # Serves the run queue while no worker does.
        # @return [Thread, nil] nil where none can be made
        def stand_in(engine)
          start(engine, engine.numbers.freeze) { nil while engine.run_queue.deserted?(1) && serve_next(engine) }
        end

        # Waits for those of this Ractor, which is about to end.
        def join
          Thread.list.each { |thread| thread.join if thread.name == NAME }
        rescue Exception # rubocop:disable Lint/RescueException -- what an item raises into this thread meanwhile
          retry
        end

        private

        # @param own [Engine, nil] for which it stands in
        def start(own, engines, &work)
          standing = own&.run_queue&.standing
          Interrupts.deferred do # or it could be counted and not be there
            standing&.increment
            NestedDispatch.thread(NAME, engines, -> { standing&.decrement }, &work)
          rescue ThreadError
            standing&.decrement
            nil
          end
        end

        # By way of others or of itself: the rest of a chunk that was cut is in the run queue, where {help} does not
        # look.
        def circle?(engine)
          ahead = engine.run_queue.waiting.values
          seen = []
          while (number = ahead.shift)
            return true if engine.numbers.include?(number) # what its primary has may fall back to it
            next if seen.include?(number)

            seen << number
            ahead.concat(Pool::RUNNING[number]&.last&.run_queue&.waiting&.values.to_a)
          end
          false
        end

        # Runs one chunk of the next batch.
        # @return [Boolean] whether there was one
        def serve_next(engine)
          parts = []
          Interrupts.deferred { parts << engine.run_queue.try_pop } # or who is ended just now has it, and nobody knows
          return false unless (batch = parts[0])
          return false if batch.moved? # only a worker gets its parcels
          return true if batch.completion.complete?

          run(engine, batch) { step(engine, parts) }
          true
        ensure
          parts.compact.each { |part| engine.give_back(part) if part.unclaimed.positive? }
        end

        def run(engine, batch, &block)
          done = false
          engine.show([batch.ticket, Thread.current.object_id].freeze, batch, &block)
          done = true
        ensure
          engine.post([:audit, batch].freeze) unless done # the thread was ended, and with it what it ran
        end

        # Runs one chunk of the first of the parts, or drops that one.
        def step(engine, parts)
          chunk = chunk(engine, parts[0])
          chunk ? parts.concat(SupervisedRun.new(engine, chunk).run) : parts.shift
        end

        def chunk(engine, part)
          cost = engine.costs.of(part.key)
          count = engine.chunker.size(part, cost)
          return unless (first = part.claim(count))

          part.kind.new(part, part.target, first, [first + count, part.limit].min, engine.chunker.stride(cost))
        end
      end
    end
  end
end
