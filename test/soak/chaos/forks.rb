# frozen_string_literal: true

require_relative "../support/stage"

# Forks out of all the others' work.
Soak::Stage.run(Soak::Forker => 2, Soak::Caller => 2, Soak::Neighbour => 1, Soak::Maker => 1)
