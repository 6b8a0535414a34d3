# frozen_string_literal: true

require_relative "defaults"

module Ratomic
  module Workers
    module Backend
      # Workers as threads of the main Ractor, if that has started the pool: for Rubies without Ractors, for work that
      # waits more than it computes, and for callables that may not run in another Ractor.
      module Threads
        extend Defaults

        class << self
          def to_sym
            :thread
          end
        end
      end
    end
  end
end
