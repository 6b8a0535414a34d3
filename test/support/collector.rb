# frozen_string_literal: true

# RATOMIC_GC makes the garbage collector hard on whatever holds a reference without telling it:
#   stress   collects at every allocation while a test runs. Slow: for the small tests of one file.
#   compact  moves what lives at every full collection, here and in each Ruby that a test starts with Subprocess#ruby.
# A test meets more collections, not other results. RATOMIC_PATIENCE gives it the time (see Waiting).
module Collector
  WAYS = %w[stress compact].freeze
  WAY = ENV.fetch("RATOMIC_GC", "").then { |way| way.empty? ? nil : way }
  abort "RATOMIC_GC is #{WAYS.join(" or ")}, not #{WAY}" unless WAY.nil? || WAYS.include?(WAY)

  # Options of a Ruby that a test starts.
  OPTIONS = WAY == "compact" ? ["-r", __FILE__].freeze : [].freeze

  # Around each test, and what it sets up and tears down.
  module Hard
    def before_setup
      super
      GC.stress = true
    end

    def after_teardown
      GC.stress = false
      super
    end
  end

  GC.auto_compact = true if WAY == "compact"
end
