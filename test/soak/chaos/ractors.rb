# frozen_string_literal: true

require_relative "../support/stage"

# Worker pools and primitives beside Ractors that allocate, share and dispatch.
Soak::Stage.run(Soak::Caller => 2, Soak::Maker => 1, Soak::Neighbour => 2, Soak::Collector => 1)
