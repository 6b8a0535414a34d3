# frozen_string_literal: true

# The part of OpenTelemetry's public API (opentelemetry-api 1.x) that ratomic calls, for machines without the gem: spans
# are kept in a list, and the context travels as a W3C "traceparent".
module OpenTelemetryStandIn
  Event = Struct.new(:name, :attributes, :timestamp)

  # Of a trace.
  class Span
    attr_reader :name, :attributes, :parent, :kind, :started, :finished, :events
    attr_accessor :status

    def initialize(name, with_parent: nil, attributes: nil, links: nil, start_timestamp: nil, kind: nil)
      raise ArgumentError if links

      @name = name
      @parent = with_parent
      @attributes = attributes
      @started = start_timestamp
      @kind = kind
      @events = []
    end

    def add_event(name, attributes: nil, timestamp: nil)
      @events << Event.new(name, attributes, timestamp)
    end

    def set_attribute(key, value)
      @attributes = @attributes.merge(key => value)
    end

    def finish(end_timestamp: nil)
      @finished = end_timestamp
    end
  end

  # Makes spans.
  class Tracer
    attr_reader :spans

    def initialize
      @spans = []
    end

    def start_span(name, **options)
      Span.new(name, **options).tap { |span| @spans << span }
    end
  end

  # What is current, to a carrier and back.
  module Propagation
    CURRENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

    def self.inject(carrier)
      carrier["traceparent"] = CURRENT
      carrier
    end

    def self.extract(carrier)
      [:context, carrier["traceparent"]]
    end
  end

  # As in opentelemetry-api.
  module Trace
    # Of a span.
    Status = Struct.new(:code, :description) do
      def self.error(description = "") = new(2, description)
    end
  end

  def self.propagation = Propagation
end
