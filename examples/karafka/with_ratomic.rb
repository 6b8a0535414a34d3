# frozen_string_literal: true

# Required before Karafka's specs are: the pool that they know is Ratomic's from here on.
require "karafka"
require "ratomic/karafka"

Ratomic::Karafka.install
