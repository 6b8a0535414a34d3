# frozen_string_literal: true

# People and places of the generated data, with letters outside ASCII.
module Names
  FIRST = %w[Aiko Björn Carla Dmitri Élodie Farid Grace Hana Ivan José Katarína Liam Mei Nils Olga Pavel Quinn Rosa
             Søren Tomás Uma Vera Wanda Ximena Yusuf Zoë].freeze
  LAST = %w[Andersson Baker Čapek Dubois Eriksen Fischer García Hoffmann Ito Jensen Kowalski López Müller Novák
            O'Brien Petrov Quist Rossi Silva Tanaka Ueda Vogel Weber Xu Yamada Zimmer].freeze
  CITIES = %w[Aarhus Berlin Córdoba Dublin Évora Fukuoka Gdańsk Helsinki Istanbul Jaipur Kyoto Lyon Malmö Nagoya
              Oslo Porto Quito Rīga Sofia Tallinn Utrecht Vienna Warsaw Zürich].freeze
end
