# frozen_string_literal: true

require_relative "../../support/names"
require_relative "../words"

module Pages
  module Data
    # Parts that several pages share: lamps, people, days.
    module Lamp
      module_function

      def title(random)
        "#{Words::MODELS.sample(random: random)} #{random.rand(100..480)}"
      end

      def person(random)
        "#{Names::FIRST.sample(random: random)} #{Names::LAST.sample(random: random)}"
      end

      # @return [String] a day in one of these months, such as 2026-03-01
      def day(random, year = 2026, months = 1..12)
        Time.utc(year, random.rand(months), random.rand(1..28)).strftime("%F")
      end

      def prose(random, sentences)
        Words::SENTENCES.sample(sentences, random: random).join(" ")
      end

      def sku(random)
        "LMP-#{format('%05d', random.rand(100_000))}"
      end
    end
  end
end
