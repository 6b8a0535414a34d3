# frozen_string_literal: true

require_relative "../check"

module Events
  module Rules
    # Readings of a machine's sensors: time goes forward, every value is inside the sensor's range, and the summary
    # says what the readings say.
    module Telemetry
      def self.call(data)
        Check.match(data, "device", /\Adev-\d{6}\z/)
        Check.object(data, "firmware")
        Check.list(data, "sensors").each { |sensor| check_sensor(sensor) }
      end

      def self.check_sensor(sensor)
        name = Check.text(sensor, "name")
        limits = Check.object(sensor, "limits")
        range = Check.number(limits, "low", -1e6..1e6)..Check.number(limits, "high", -1e6..1e6)
        check_summary(name, Check.object(sensor, "summary"), values(name, Check.list(sensor, "readings"), range))
      end
      private_class_method :check_sensor

      def self.values(name, readings, range)
        before = -1
        readings.map do |reading|
          at = Check.integer(reading, "at_ms", 0..86_400_000)
          raise Invalid, "#{name}: at_ms #{at} is not after #{before}" unless at > before

          before = at
          Check.number(reading, "value", range)
        end
      end
      private_class_method :values

      def self.check_summary(name, summary, values)
        Check.equal("#{name}: count", Check.integer(summary, "count", 1..100_000), values.size)
        Check.equal("#{name}: min", summary["min"], values.min)
        Check.equal("#{name}: max", summary["max"], values.max)
        mean = values.sum / values.size
        return if (Check.number(summary, "mean", -1e6..1e6) - mean).abs <= 0.001

        raise Invalid, "#{name}: mean is #{summary['mean']}, but the readings give #{mean.round(3)}"
      end
      private_class_method :check_summary
    end
  end
end
