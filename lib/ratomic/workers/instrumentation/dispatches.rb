# frozen_string_literal: true

module Ratomic
  module Workers
    module Instrumentation
      # Collects what the events tell about each dispatch, until it ends. A slow subscriber loses events, also those
      # that end a dispatch. So the number of dispatches is limited, and the oldest is forgotten first.
      class Dispatches
        MAX_DISPATCHES = 10_000
        ENDS = %i[completed cancelled expired rejected].freeze

        Known = Struct.new(:event, :failures, :first_failure, :state)

        def initialize
          @known = {}
        end

        # @param event [Event]
        # @return [Known, nil] of the dispatch that the event belongs to. nil if it belongs to none, or to one that has
        #   ended: a worker can still file results of a dispatch that was cancelled.
        def [](event)
          number = event.dispatch
          return if number.nil?

          known = @known[number] ||= begin_with(event)
          return if known.event.nil?

          count(known, event[:failure]) if event.name == :failed
          @known[number] = Known.new if ends?(event) # empty, so that a later event is known to be late
          known
        end

        # Whether the event is the last of its dispatch.
        def ends?(event)
          ENDS.include?(event.name)
        end

        # @return [Integer]
        def size
          @known.size
        end

        private

        def begin_with(event)
          @known.shift if @known.size >= MAX_DISPATCHES
          Known.new(event, 0, nil)
        end

        def count(known, failure)
          known.failures += 1
          known.first_failure ||= failure
        end
      end
    end
  end
end
