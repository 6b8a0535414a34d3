# frozen_string_literal: true

require_relative "../support/stage"

# All of them.
Soak::Stage.run(Soak::Caller => 3, Soak::Streamer => 1, Soak::Shutter => 1, Soak::Forker => 1, Soak::Collector => 1,
                Soak::Maker => 1, Soak::Neighbour => 1)
