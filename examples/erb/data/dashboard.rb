# frozen_string_literal: true

require_relative "../../support/names"
require_relative "lamp"

module Pages
  module Data
    # A shop's dashboard: key figures with their course, charts, the most visited pages, the latest events.
    module Dashboard
      CHANNELS = [["Search", 212], ["Direct", 168], ["Newsletter", 36], ["Social", 286], ["Partners", 350]].freeze
      EVENTS = ["restocked", "took back", "changed the price of", "answered a review of", "put on the front page:",
                "moved text & pictures of", "reserved six of"].freeze

      def self.call(random)
        {
          shop: "#{Words::BRANDS.sample(random: random)} #{Names::CITIES.sample(random: random)}",
          day: Lamp.day(random), week: random.rand(1..52),
          kpis: kpis(random),
          visits: walk(random, 56, 800), before: walk(random, 56, 700),
          hours: Array.new(24) { |hour| hour_load(hour, random) },
          channels: CHANNELS.map { |name, hue| { name: name, hue: hue, value: random.rand(300..3_000) } },
          pages: Words::PATHS.map { |path| page(path, random) }.sort_by { |entry| -entry[:views] }.first(11),
          heat: Array.new(7) { Array.new(24) { random.rand(100) } },
          events: Array.new(12) { event(random) }.sort_by { |entry| entry[:at] }.reverse
        }
      end

      def self.walk(random, length, start)
        level = start
        Array.new(length) { level = (level + random.rand(-90..100)).clamp(80, 2_000) }
      end
      private_class_method :walk

      # Amounts are in cents, the conversion in orders per 10,000 visitors.
      def self.kpis(random)
        visitors = random.rand(20_000..90_000)
        orders = visitors * random.rand(120..520) / 10_000
        figures = [["Visitors", :count, visitors], ["Orders", :count, orders],
                   ["Revenue", :money, orders * random.rand(90_00..160_00)],
                   ["Conversion", :percent, orders * 10_000 / visitors]]
        figures.map do |label, unit, now|
          { label: label, unit: unit, now: now, before: now * random.rand(80..115) / 100,
            course: walk(random, 16, 400) }
        end
      end
      private_class_method :kpis

      def self.hour_load(hour, random)
        day = Math.sin((hour - 6) * Math::PI / 15).clamp(0.05, 1.0)
        { orders: (day * random.rand(60..100)).round, returns: (day * random.rand(4..16)).round }
      end
      private_class_method :hour_load

      def self.page(path, random)
        views = random.rand(200..30_000)
        { path: path, views: views, unique: views * random.rand(40..90) / 100,
          bounce: random.rand(12..78), seconds: random.rand(8..420), change: random.rand(-30..45) }
      end
      private_class_method :page

      def self.event(random)
        { at: Time.utc(2026, 1, 1, random.rand(24), random.rand(60)).strftime("%R"), who: Lamp.person(random),
          what: EVENTS.sample(random: random), object: Lamp.title(random),
          level: %w[good note warn].sample(random: random) }
      end
      private_class_method :event
    end
  end
end
