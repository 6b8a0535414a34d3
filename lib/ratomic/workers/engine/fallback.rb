# frozen_string_literal: true

module Ratomic
  module Workers
    # The `fallback:` of a pool of Ractors. It knows which callables have failed because they ran in a Ractor, has the
    # {FallbackEngine} that runs them, and keeps which parts of dispatches are being run again there. Frozen and
    # shareable.
    class Fallback
      # Items of a chunk that are to be run again, the index after the last of them, and why.
      Span = Struct.new(:from, :to, :failure)
      # The name of a callable that needs the fallback, and the reason.
      Note = Struct.new(:name, :reason)
      ENGINE = :engine
      GATE = :gate
      private_constant :ENGINE, :GATE, :Note

      # The key of a callable: the same as in {Costs}, but for a proc its place in the source, because each run of the
      # code makes another proc object.
      # @return [Module, Integer, String]
      def self.key(callable, as = nil)
        callable = callable.callable if Around === callable
        Proc === callable && as.nil? ? Callable.label(callable) : Callable.key(callable, as)
      end

      # @return [Symbol] :thread or :process
      attr_reader :backend

      # @param settings [Settings] of the pool
      def initialize(settings)
        @settings = settings.of_fallback
        @backend = @settings.backend
        @cell = Map.new
        @known = BoundedCache.new
        @gate = Map.new
        @parts = Map.new # ticket of a dispatch that is not over => Map of its parts that are run again
        freeze
      end

      # @return [FallbackEngine, nil] nil while it was not needed
      def engine
        @cell[ENGINE]
      end

      # Decides which engine runs a dispatch of the callable.
      # @param primary [Engine] of the Ractors
      # @return [Array(Engine, Object)] the engine, and the callable as that engine admits it
      # @raise [CallableError] if neither engine admits it
      def assign(primary, callable, options)
        key = Fallback.key(callable, options.as)
        there = @known[key] && (engine || main?) ? start(primary) : primary
        [there, there.admit(callable)]
      rescue CallableError => e
        raise unless main? && Callable.call?(callable)

        there = start(primary)
        admitted = there.admit(callable)
        remember(primary, key, options.as || Callable.label(callable), e.message)
        [there, admitted]
      end

      # The items of a chunk that have to run again, because they failed in a Ractor. If the items have an order, also
      # all items after the first of these; in a reduction the whole chunk, because its one sum has a fixed place.
      # @param first [Integer] index of the first result
      # @param last [Integer, nil] index after the last item of the chunk, if the chunk has stopped at the first such
      #   item
      # @return [Array<Span>, nil] nil when there are none
      def spans(batch, first, results, last = nil)
        faults = results.each_index.select { |place| Remedy.of_ractor?(results[place]) }
        return unless (fault = faults[0])
        return runs(faults, first, results) unless Fold === batch.callable || batch.options.sequential

        from = Fold === batch.callable ? 0 : fault
        [Span.new(first + from, last || (first + results.size), results[fault])]
      end

      # From now on dispatches of that callable go to the other engine at once.
      # @param reason [String]
      # @param details [Hash] more for the event
      # @return [void]
      def remember(primary, key, name, reason, batch = nil, details = {})
        fresh = false
        @gate.compute(GATE) do # one thread after another, so that there is one event
          @known[key] = Ractor.make_shareable(Note.new(name, reason)) if (fresh = @known[key].nil?)
        end
        return unless fresh

        primary.emit(:fallback, batch, { callable: name, backend: @backend, reason: reason }.merge(details))
      end

      # Runs a part of a batch again. It is called in a thread of the main Ractor.
      # @param failure [Failure] of its first item
      # @return [void]
      def run(primary, part, failure)
        there = start(primary)
        fresh = note(part)
        there.enforce_deadlines(part) if fresh
        there.give_back(part)
        drop(part.ticket) if part.completion.complete?
      rescue StandardError => e # there is no thread or process to be had
        primary.metrics.trouble(e, "the start of the fallback")
        failures = (part.from...part.limit).map { |index| failure.at(index) }
        primary.file_as_is(part, part.from, Ractor.make_shareable(failures), true)
      end

      # @param index [Integer] of an item
      # @return [Boolean, nil] whether the item is run again; nil if no item of the dispatch is
      def has?(ticket, index)
        @parts[ticket]&.values&.any? { |part| index >= part.from && index < part.limit }
      end

      # Whether any item of that dispatch is run again.
      def divides?(ticket)
        @parts.key?(ticket)
      end

      # Called when the dispatch is over.
      def drop(ticket)
        @parts.delete(ticket)
      end

      # @param keys [Array] under which the callable may be known
      # @return [String, nil] why it does not run in a Ractor
      def reason(*keys)
        keys.filter_map { |key| @known[key]&.reason }.first
      end

      # @return [Hash{String => String}] names of the callables, each with its reason
      def callables
        @known.to_h.each_value.to_h { |note| [note.name, note.reason] }
      end

      # @return [FallbackEngine] made when it is first needed
      # @raise [ShutdownError, ThreadError]
      def start(primary)
        engine || Interrupts.deferred do
          made = @cell.fetch_or_store(ENGINE) { FallbackEngine.start(primary, @settings) }
          made.kill if primary.killed? # which may not have seen it
          made.post(Engine::WIND_UP) unless primary.open?
          made
        end
      end

      private

      # @param places [Array<Integer>]
      def runs(places, first, results)
        places.slice_when { |place, following| following != place + 1 }.map do |run|
          Span.new(first + run[0], first + run[-1] + 1, results[run[0]])
        end
      end

      # @return [Boolean] whether it is the first of its dispatch
      def note(part)
        fresh = false
        parts = @parts.fetch_or_store(part.ticket) do
          fresh = true
          Map.new
        end
        parts[part.from] = part
        fresh
      end

      def main?
        !RACTORS || Ractor.main?
      end
    end
    private_constant :Fallback
  end
end
