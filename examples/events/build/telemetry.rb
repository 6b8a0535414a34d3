# frozen_string_literal: true

require_relative "../../support/names"
require_relative "padding"

module Events
  module Build
    # Telemetry of about 19 KB: eight sensors with as many readings each as there is room for.
    module Telemetry
      SENSORS = [
        ["inlet_temperature", "°C", -40.0, 120.0], ["outlet_temperature", "°C", -40.0, 120.0],
        ["pressure", "kPa", 0.0, 1_000.0], ["flow", "l/min", 0.0, 400.0], ["vibration", "mm/s", 0.0, 50.0],
        ["current", "A", 0.0, 63.0], ["humidity", "%", 0.0, 100.0], ["shaft_speed", "rpm", 0.0, 6_000.0]
      ].freeze

      def self.call(random, bytes)
        share = ((bytes - 560) / SENSORS.size) - 190
        {
          device: format("dev-%06d", random.rand(1_000_000)), site: Names::CITIES.sample(random: random),
          firmware: { version: "4.#{random.rand(20)}.#{random.rand(10)}", build: random.rand(100_000) },
          sensors: SENSORS.map { |row| sensor(row, share, random) }
        }
      end

      def self.sensor((name, unit, low, high), bytes, random)
        at = 0
        level = random.rand(low..high)
        readings = Padding.elements(bytes) do
          level = (level + random.rand(-1.0..1.0)).clamp(low, high)
          { at_ms: at += random.rand(900..1_100), value: level.round(3), ok: random.rand(50).positive? }
        end
        { name: name, unit: unit, limits: { low: low, high: high }, readings: readings,
          summary: summary(readings.map { |reading| reading[:value] }) }
      end
      private_class_method :sensor

      def self.summary(values)
        { count: values.size, min: values.min, max: values.max, mean: (values.sum / values.size).round(4) }
      end
      private_class_method :summary
    end
  end
end
