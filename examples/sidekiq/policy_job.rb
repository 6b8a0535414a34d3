# frozen_string_literal: true

# A job that needs nothing but its policy, for the comparison.
class PolicyJob
  include Sidekiq::Worker
  sidekiq_options queue: "orders", retry: 0

  # Set by the {PolicyMiddleware}.
  # @return [Policy]
  attr_accessor :policy

  def perform(_tenant)
    raise "no policy" unless policy
  end

  # In place of #perform, where the tenant is suspended.
  # @return [void]
  def refuse; end
end
