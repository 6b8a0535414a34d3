# frozen_string_literal: true

require_relative "../support/stage"

# Worker pools, with everything that can be done to them.
Soak::Stage.run(Soak::Caller => 4, Soak::Streamer => 1, Soak::Shutter => 1, Soak::Collector => 1)
