# frozen_string_literal: true

module Events
  # The vocabulary of the generated documents, some of them with characters that JSON escapes.
  module Words
    STREETS = ["Harbour Street", "Lindenallee", "Rue des Écoles", "Via Roma", "Sakura-dori", "Mill Lane"].freeze
    THINGS = ["desk lamp", "oak shelf", "steel kettle", "wool blanket", "paper \"A4\"", "city bike", "tea set",
              "rain coat", "hiking boots", "garden chair", "water filter", "solar charger", "cast-iron pan"].freeze
    COLOURS = %w[amber blue copper graphite green ivory red sand white].freeze
    SHOPS = ["Baker & Sons", "Café Öst", "North/South Books", "Green Market", "Union Rail", "City Water",
             "Cloud Nine Hosting", "Blue Door Pharmacy", "Atlas Insurance"].freeze
    PROSE = %w[please leave the parcel with neighbour at number seven ring twice after noon before evening thanks
               fragile handle carefully invoice goes to office address changed last week call ahead if late].freeze
  end
end
