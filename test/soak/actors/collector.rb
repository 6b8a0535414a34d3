# frozen_string_literal: true

require_relative "actor"

module Soak
  # Collects and compacts the heap now and then.
  class Collector < Actor
    def act
      sleep(@random.rand * 0.05)
      case @random.rand(4)
      when 0 then GC.start
      when 1 then GC.compact
      else GC.start(full_mark: false)
      end
    rescue NotImplementedError
      GC.start
    end
  end
end
