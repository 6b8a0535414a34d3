# frozen_string_literal: true

require_relative "../../../ratomic"
require_relative "dispatches"

module Ratomic
  module Workers
    module Instrumentation
      # Makes an OpenTelemetry span of each dispatch. The program loads and configures OpenTelemetry.
      #
      #   require "ratomic/workers/instrumentation/traces"
      #   Traces = Ratomic::Workers::Instrumentation::Traces
      #   Traces.subscribe(pool)
      #   pool.dispatch_async(items, callable, context: Traces.context)
      #
      # With {context} as `context:`, the span is a child of the caller's current span. An item reads the header for its
      # own requests from `Workers.context["traceparent"]`. (It cannot call OpenTelemetry in a Ractor, because
      # OpenTelemetry keeps its state in variables of modules.)
      #
      # While a pool has subscribers, workers run all dispatches; callers do not run small ones themselves.
      class Traces
        # Only the first Failures of a dispatch become events of its span.
        MAX_FAILURE_EVENTS = 8

        class << self
          # @param pool [Pool]
          # @param tracer [Object, nil] OpenTelemetry's; with nil the tracer provider is asked for one named "ratomic"
          # @return [Subscription]
          def subscribe(pool, tracer: nil)
            traces = new(tracer || ::OpenTelemetry.tracer_provider.tracer("ratomic", VERSION))
            pool.subscribe { |event| traces.call(event) }
          end

          # The caller's current trace context, for `context:`.
          # @param more [Hash] entries of your own, shareable
          # @return [Hash] frozen, with the fields that the configured propagators use ("traceparent", "tracestate")
          def context(more = {})
            carrier = {}
            ::OpenTelemetry.propagation.inject(carrier)
            Ractor.make_shareable({ **more }.merge(carrier))
          end
        end

        # @param tracer [Object] OpenTelemetry's
        def initialize(tracer)
          @tracer = tracer
          @dispatches = Dispatches.new
        end

        # @param event [Event]
        def call(event)
          return unless (known = @dispatches[event])

          span = known.state ||= start(known.event)
          add_failure(span, event) if event.name == :failed && known.failures <= MAX_FAILURE_EVENTS
          finish(span, event, known) if @dispatches.ends?(event)
        end

        private

        def start(event)
          @tracer.start_span("dispatch #{event.pool}", with_parent: parent(event.context), kind: :internal,
                                                       start_timestamp: Time.at(began(event)), attributes: {
                                                         "ratomic.pool" => event.pool,
                                                         "ratomic.dispatch" => event.dispatch,
                                                         "ratomic.items" => event[:items] || 0
                                                       })
        end

        # A span begins with the first event that arrives, because the event of the start can be lost. The last event
        # has the duration, so that the start is computed from it.
        def began(event)
          event.time - (event[:seconds] || 0)
        end

        def parent(context)
          return unless Hash === context && context.keys.any?(String)

          ::OpenTelemetry.propagation.extract(context)
        end

        def add_failure(span, event)
          failure = event[:failure]
          span.add_event("exception", timestamp: Time.at(event.time), attributes: {
                           "exception.type" => failure.exception_class, "exception.message" => failure.message,
                           "exception.stacktrace" => failure.backtrace.join("\n"), "ratomic.item" => event[:item]
                         })
        end

        def finish(span, event, known)
          span.set_attribute("ratomic.failures", known.failures)
          first = known.first_failure
          failed = "#{known.failures} items failed, the first: #{first.exception_class}" if first
          failed = "#{event.name}: #{event[:items]} items have no result" unless event.name == :completed
          span.status = ::OpenTelemetry::Trace::Status.error(failed) if failed
          span.finish(end_timestamp: Time.at(event.time))
        end
      end
    end
  end
end
