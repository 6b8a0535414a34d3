# frozen_string_literal: true

require_relative "../../../ratomic"
require_relative "dispatches"

module Ratomic
  module Workers
    module Instrumentation
      # Writes to a Logger: a line for each dispatch that was slow, that has Failures, or that was ended early; a line
      # when a worker dies or is abandoned; and a line for each callable that `fallback:` runs outside of the Ractors.
      #
      #   require "ratomic/workers/instrumentation/log"
      #   Ratomic::Workers::Instrumentation::Log.subscribe(pool, Rails.logger, slow: 2)
      #
      # While a pool has subscribers, workers run all dispatches; callers do not run small ones themselves.
      class Log
        WORKERS = { worker_abandoned: "worker %d could not be interrupted and was given up",
                    paused: "workers die one after the other; the next one comes in %.2f s" }.freeze

        # @param pool [Pool]
        # @param logger [#warn] a Logger, or another object whose `warn` takes a line
        # @param slow [Numeric, nil] seconds from which a dispatch counts as slow; with nil none does
        # @return [Subscription]
        def self.subscribe(pool, logger, slow: 1)
          log = new(logger, slow: slow)
          pool.subscribe { |event| log.call(event) }
        end

        # @raise [TypeError] when the logger has no public method `warn`, or `slow:` is no number
        # @raise [ArgumentError] when `slow:` is negative
        def initialize(logger, slow: 1)
          raise TypeError, "the logger must have warn(line), #{logger.class} has none" unless logger.respond_to?(:warn)

          @logger = logger
          @slow = Arguments.seconds(:slow, slow)
          @dispatches = Dispatches.new
        end

        # @param event [Event]
        def call(event)
          line = if event.name == :fallback
                   of_fallback(event)
                 else
                   event.dispatch ? of_dispatch(event) : of_worker(event)
                 end
          @logger.warn("ratomic #{event.pool}: #{line}") if line
        end

        private

        def of_fallback(event)
          "#{event[:callable]} runs in #{Backend.of(event[:backend]).place} from now on: #{one_line(event[:reason])}"
        end

        def of_worker(event)
          words = WORKERS[event.name]
          return "worker #{event[:worker]} died" if event.name == :worker_ended && !event[:expected]

          words && format(words, event[:worker] || event[:seconds])
        end

        def of_dispatch(event)
          known = @dispatches[event]
          return unless known && @dispatches.ends?(event)

          case event.name
          when :completed then completed(event, known)
          when :rejected then "dispatch #{event.dispatch} of #{event[:items]} items was refused: the queue is full"
          else "dispatch #{event.dispatch} was #{event.name}, #{event[:items]} items had no result#{context(event)}"
          end
        end

        def completed(event, known)
          return unless known.failures.positive? || (@slow && event[:seconds] >= @slow)

          failed = ", #{known.failures} failed, the first: #{one_line(known.first_failure)}" if known.failures.positive?
          "dispatch #{event.dispatch} of #{event[:items]} items took #{Figures.time(event[:seconds])}#{failed}" \
            "#{context(event)}"
        end

        def one_line(failure)
          failure.to_s.gsub(/[[:cntrl:]]+/, " ")[0, 300]
        end

        def context(event)
          event.context.nil? ? "" : " [#{ShortInspect.of(event.context)}]"
        end
      end
    end
  end
end
