# frozen_string_literal: true

module Ratomic
  module Workers
    # Formats numbers for people. This file uses nothing else of the library, so that `ratomic top` can load it alone.
    module Figures
      module_function

      # @param seconds [Numeric, nil]
      # @return [String] such as "12 us", "3.4 ms", "5.6 s", "1:02" (minutes) and "1:02:03" (hours)
      def time(seconds)
        return "-" if seconds.nil?
        return "#{(seconds * 1_000_000).round} us" if seconds < 0.001
        return "#{(seconds * 1000).round(1)} ms" if seconds < 1
        return "#{seconds.round(1)} s" if seconds < 59.95

        clock(seconds.round)
      end

      # @param number [Numeric]
      # @return [String] with an apostrophe at each thousand, and one digit behind the point below ten
      def count(number)
        return number.round(1).to_s if number.is_a?(Float) && number < 10 && number.round(1) != number.round

        number.round.to_s.gsub(/(\d)(?=(\d{3})+\z)/, "\\1'")
      end

      # @param share [Float] 0.0 to 1.0
      # @return [String] rounded down, so that "100%" means all
      def percent(share)
        "#{(share * 100).floor}%"
      end

      def clock(seconds)
        minutes, seconds = seconds.divmod(60)
        hours, minutes = minutes.divmod(60)
        two = ->(number) { number.to_s.rjust(2, "0") }
        hours.zero? ? "#{minutes}:#{two[seconds]}" : "#{hours}:#{two[minutes]}:#{two[seconds]}"
      end
      private_class_method :clock
    end
  end
end
