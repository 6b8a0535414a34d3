# frozen_string_literal: true

module Ratomic
  # Ruby warns that Ractors are experimental when a process makes its first one. Users of this gem know that, so the
  # warning is silenced for the library's own Ractors.
  # @api private
  module Experimental
    # Runs the block, which makes a Ractor, without that warning. Another Ractor than the main one has been made itself,
    # so the warning has been given or is not wanted; and the setting is the main Ractor's.
    def self.quietly
      return yield unless Ractor.main? && Warning[:experimental]

      begin
        Warning[:experimental] = false
        yield
      ensure
        Warning[:experimental] = true
      end
    end
  end
end
