# frozen_string_literal: true

module Pages
  # What the generated pages talk about: a shop for lamps. Some of it is text that a page must escape.
  module Words
    BRANDS = ["Lumen & Oak", "Halden", "Nordlys", "Atelier Brun", "Kobo", "Fjord Works"].freeze
    MODELS = %w[Alba Birk Castor Dune Ember Fable Gala Heron Isle Juno Kite Lark Mira Nova Onyx Pike Quill Rune].freeze
    KINDS = ["table lamp", "reading lamp", "desk lamp", "bedside lamp", "studio lamp"].freeze
    COLOURS = [["Sand", 38], ["Moss", 95], ["Sea", 190], ["Ink", 222], ["Plum", 300], ["Clay", 14],
               ["Lemon", 52]].freeze
    TITLES = ["Warm light, heavy base", "Better than the photo", "Good, but the cord is short", "A gift that stayed",
              "Brighter than I thought", "Does what it says", "Five stars > four stars", "Quiet & well made",
              "Second one we bought", "\"Just right\" for the hall"].freeze
    SENTENCES = [
      "The shade throws an even circle of light over the whole table, without a hot spot in the middle.",
      "It took four minutes to put together, and every screw that should have been in the box was there.",
      "The dimmer starts at almost nothing & goes up smoothly, which is what I wanted for a bedroom.",
      "My only complaint is the cord: 1.5 m is < what our living room needs.",
      "The base is heavy enough that the cat has given up.", "Colours in daylight look close to those on the page.",
      "After three months of daily use there is no wobble, no hum and no yellowing.",
      "We read under it every evening and nobody's eyes get tired.",
      "The switch sits where the hand expects it.", "I wrote <b>two</b> letters to support and had two kind answers.",
      "It replaces a lamp twice its price, and looks better than that one did.",
      "Packed in paper only, which I liked very much.", "The bulb can be changed without any tools."
    ].freeze
    DESCRIPTIONS = [
      "A lamp for the corner where you actually sit: low glare, a wide circle of light, and a switch within reach.",
      "The base is turned from one piece of wood, so no two lamps have the same grain.",
      "Light passes through two layers of linen, which is why the shade looks the same lit & unlit.",
      "Inside is a driver without flicker, tested at every step of the dimmer from 2 % to 100 %.",
      "All parts are screwed, none is glued, and each can be ordered by its number (see \"Spare parts\").",
      "We designed it with a shop of three people in Porto and have changed only the cord since.",
      "At its lowest setting it uses < 1 W, about as much as a clock.",
      "It arrives in one flat box: shade, ring, base, bulb, and a key for the two screws."
    ].freeze
    QUESTIONS = [
      ["Can I use my own bulb?", "Yes. Any E27 bulb of up to 15 W fits, and the one in the box can be dimmed."],
      ["Does it work with 110 V?", "The driver takes 100 to 240 V; you need a plug adapter & nothing else."],
      ["How long is the cord?", "1.5 m as standard. A cord of 3 m can be ordered under \"Accessories\"."],
      ["Is the shade washable?", "Wipe it with a damp cloth. Please don't put it into a machine."],
      ["Where is it made?", "Shade and base are made in Portugal, the electronics in Poland."],
      ["Can it stand in a bathroom?", "No: it is IP20. Look at the models with \"IP44\" for wet rooms."]
    ].freeze
    FEATURES = ["Solid oak base, oiled by hand", "Linen shade over a steel ring", "Dims from 2 % to 100 %",
                "Warm white, 2,700 K, CRI > 95", "Spare parts for ten years", "Five-year guarantee",
                "Cotton-covered cord of 1.5 m", "Plastic-free packaging"].freeze
    PATHS = %w[/ /lamps /lamps/alba /lamps/heron /cart /checkout /account /search /journal /journal/light-and-sleep
               /help/returns /help/bulbs /lamps?sort=price&dir=asc /stores /stores/porto /gift-cards].freeze
    REMARKS = [
      "Sales rose mainly in the studio line, where two new models reached the shops three weeks early.",
      "Returns fell for the third quarter in a row; the longer cord is the reason most often given.",
      "A late container held back the Clay and Moss shades until the middle of the quarter.",
      "Margins held although freight went up, because more orders were delivered to stores than to homes.",
      "The share of repeat customers is now > 40 %, counting orders within 24 months.",
      "Two stores changed their hours; their figures are comparable only from the fifth week on.",
      "R&D costs are booked centrally and aren't part of this table."
    ].freeze
  end
end
