# frozen_string_literal: true

module Ratomic
  module Workers
    module Processes
      # The state of Ruby's garbage collector.
      module GcState
        # Ruby has no method that tells this. `GC.disable` does, but it also disables the collector, for a moment.
        # @return [Boolean] whether the garbage collector is enabled in this process
        def self.enabled?
          return false if GC.disable

          GC.enable
          true
        end
      end
    end
  end
end
