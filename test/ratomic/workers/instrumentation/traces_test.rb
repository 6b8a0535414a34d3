# frozen_string_literal: true

require "test_helper"
require "ratomic/workers/instrumentation/traces"
require "support/open_telemetry_stand_in"
require "support/worker_callables"
require "support/worker_pools"

# Against a stand-in of OpenTelemetry's public API: the distribution has no package of it.
class TracesTest < Minitest::Test
  include WorkerCallables
  include WorkerPools

  Traces = Ratomic::Workers::Instrumentation::Traces

  def setup
    super
    @own = Object.const_defined?(:OpenTelemetry)
    skip "the real OpenTelemetry is loaded" if @own
    Object.const_set(:OpenTelemetry, OpenTelemetryStandIn)
    @tracer = OpenTelemetryStandIn::Tracer.new
    @pool = new_pool(name: "parsers")
    @subscription = Traces.subscribe(@pool, tracer: @tracer)
  end

  def teardown
    Object.send(:remove_const, :OpenTelemetry) unless @own
    super
  end

  def spans
    @subscription.cancel
    assert @subscription.join(timeout: 5)
    @tracer.spans
  end

  def test_a_dispatch_is_a_span
    before = Time.now
    @pool.dispatch_async([1, 2, 3], Double).value
    span, = spans
    assert_equal ["dispatch parsers", :internal, nil], [span.name, span.kind, span.parent]
    assert_equal({ "ratomic.pool" => "parsers", "ratomic.items" => 3, "ratomic.failures" => 0 },
                 span.attributes.reject { |name, _| name == "ratomic.dispatch" })
    assert_operator span.started, :>=, before - 0.1
    assert_operator span.finished, :>=, span.started
    assert_nil span.status
  end

  # Returns what it would send along.
  module SendAlong
    def self.call(_item)
      Ratomic::Workers.context["traceparent"]
    end
  end

  def test_the_context_reaches_the_workers_and_the_span_its_parent
    context = Traces.context("file" => "a.csv")
    assert Ractor.shareable?(context)
    assert_equal "a.csv", context["file"]
    trace = OpenTelemetryStandIn::Propagation::CURRENT
    assert_equal [trace], @pool.dispatch_async([1], SendAlong, context: context).value
    assert_equal [:context, trace], spans[0].parent
  end

  def test_failures_are_events_of_the_span
    @pool.dispatch_async([:raise_error] * 20, Misbehave, context: { file: 1 }.freeze).value
    span, = spans
    told = [span.events.size, span.attributes["ratomic.failures"], span.parent]
    assert_equal [Traces::MAX_FAILURE_EVENTS, 20, nil], told
    assert_equal ["KeyError", "no such key"], span.events[0].attributes.values_at("exception.type", "exception.message")
    assert_match(/worker_callables.rb/, span.events[0].attributes["exception.stacktrace"])
    assert_equal [2, "20 items failed, the first: KeyError"], span.status.to_a
  end

  def test_a_dispatch_that_was_ended_is_a_span_with_an_error
    hold = Hold.new
    future = @pool.dispatch_async([1, 2], hold)
    eventually { hold.begun.value.positive? }
    future.cancel
    hold.open
    assert_equal [1, "cancelled: 2 items have no result"], [spans.size, spans[0].status.description]
    assert spans[0].finished
  end
end
