# frozen_string_literal: true

require_relative "../../support/names"
require_relative "lamp"

module Pages
  module Data
    # A product page: description, specification, reviews, questions, related lamps.
    module Product
      def self.call(random)
        price = random.rand(49_00..490_00)
        reviews = Array.new(29) { review(random) }
        article(random).merge(
          price: price, old_price: price * random.rand(110..140) / 100, stock: random.rand(1..40),
          description: Words::DESCRIPTIONS.shuffle(random: random).each_slice(3).map { |few| few.join(" ") },
          features: Words::FEATURES.sample(6, random: random), specification: specification(random),
          reviews: reviews, average: reviews.sum { |entry| entry[:stars] } / reviews.size.to_f,
          questions: Words::QUESTIONS.shuffle(random: random).map { |pair| question(pair, random) },
          related: Array.new(8) { related(random) }
        )
      end

      def self.article(random)
        { name: Lamp.title(random), kind: Words::KINDS.sample(random: random),
          brand: Words::BRANDS.sample(random: random), sku: Lamp.sku(random),
          hue: Words::COLOURS.sample(random: random)[1], colours: Words::COLOURS.sample(5, random: random) }
      end
      private_class_method :article

      def self.review(random)
        {
          author: Lamp.person(random), city: Names::CITIES.sample(random: random), date: Lamp.day(random),
          stars: [5, 5, 4, 4, 3, 2].sample(random: random), title: Words::TITLES.sample(random: random),
          body: Lamp.prose(random, 5), helpful: random.rand(120), colour: Words::COLOURS.sample(random: random)[0]
        }
      end
      private_class_method :review

      def self.question((asked, answered), random)
        { asked: asked, answered: answered, by: Lamp.person(random), votes: random.rand(1..60) }
      end
      private_class_method :question

      def self.related(random)
        { name: Lamp.title(random), kind: Words::KINDS.sample(random: random), price: random.rand(39_00..600_00),
          hue: Words::COLOURS.sample(random: random)[1], stars: random.rand(3..5), reviews: random.rand(3..900) }
      end
      private_class_method :related

      # group => { label => value }
      def self.specification(random)
        height = random.rand(280..620)
        {
          "Dimensions" => { "Height" => "#{height} mm", "Shade" => "#{height / 2} × #{height / 3} mm",
                            "Base" => "#{random.rand(120..220)} mm", "Weight" => "#{random.rand(900..4_200)} g",
                            "Cord" => "1.5 m, cotton" },
          "Light" => { "Socket" => "E27", "Power" => "#{random.rand(4..15)} W", "Colour" => "2,700 K",
                       "Flux" => "#{random.rand(320..1_300)} lm", "Dimmable" => "yes, 2 to 100 %", "CRI" => "> 95" },
          "Materials" => { "Base" => %w[oak ash walnut].sample(random: random), "Shade" => "linen & steel",
                           "Finish" => "hard wax oil", "Packaging" => "paper" },
          "Electrical" => { "Input" => "100–240 V, 50/60 Hz", "Class" => "II", "Protection" => "IP20",
                            "Energy class" => %w[A B C].sample(random: random), "Guarantee" => "5 years" }
        }
      end
      private_class_method :specification
    end
  end
end
