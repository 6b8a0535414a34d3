# frozen_string_literal: true

require_relative "../../support/names"
require_relative "lamp"

module Pages
  module Data
    # A quarterly sales report: six regions of thirteen weeks each, and the quarter's largest orders.
    module Report
      REGIONS = ["Nordics & Baltics", "Germany, Austria, Switzerland", "Iberia", "France & Benelux", "East Asia",
                 "North America"].freeze

      def self.call(random)
        regions = REGIONS.map { |name| region(name, random) }
        quarter = random.rand(1..4)
        months = ((quarter * 3) - 2)..(quarter * 3)
        year = random.rand(2021..2026)
        {
          brand: Words::BRANDS.sample(random: random), quarter: quarter, year: year,
          author: Lamp.person(random), regions: regions, revenue: regions.sum { |entry| entry[:revenue] },
          orders: regions.sum { |entry| entry[:orders] }, remarks: Words::REMARKS.sample(4, random: random),
          largest: Array.new(204) { order(Lamp.day(random, year, months), random) }.sort_by { |entry| -entry[:total] }
        }
      end

      def self.region(name, random)
        weeks = Array.new(13) { |index| week(index + 1, random) }
        { name: name, weeks: weeks, remark: Words::REMARKS.sample(2, random: random).join(" "),
          lead: Lamp.person(random), revenue: weeks.sum { |entry| entry[:revenue] },
          orders: weeks.sum { |entry| entry[:orders] }, plan: weeks.sum { |entry| entry[:plan] } }
      end
      private_class_method :region

      def self.week(number, random)
        orders = random.rand(180..900)
        revenue = orders * random.rand(60_00..140_00)
        { number: number, orders: orders, revenue: revenue, plan: revenue * random.rand(85..115) / 100,
          returns: orders * random.rand(1..9) / 100, stores: random.rand(20..70),
          visitors: orders * random.rand(18..60) }
      end
      private_class_method :week

      def self.order(day, random)
        { id: "R#{random.rand(10_000_000..99_999_999)}", day: day, customer: Lamp.person(random),
          city: Names::CITIES.sample(random: random), lamp: Lamp.title(random), pieces: random.rand(4..160),
          total: random.rand(900_00..48_000_00), state: %w[paid paid paid open overdue].sample(random: random) }
      end
      private_class_method :order
    end
  end
end
