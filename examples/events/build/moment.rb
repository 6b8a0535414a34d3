# frozen_string_literal: true

module Events
  module Build
    # A time of the year 2026 as the documents write it.
    module Moment
      # @param months [Range] in which of them
      # @return [String] such as 2026-03-01T12:00:00Z
      def self.call(random, months)
        Time.utc(2026, random.rand(months), random.rand(1..28), random.rand(24), random.rand(60), random.rand(60))
            .strftime("%FT%TZ")
      end
    end
  end
end
