# frozen_string_literal: true

require_relative "policy"

# Where policies come from: the jobs' own Redis. In a real program this is a query to a database.
module PolicySource
  # There is no policy for this tenant.
  class Missing < StandardError; end

  KEY = "policies"

  # @param tenant [String]
  # @return [Policy]
  # @raise [Missing]
  def self.call(tenant)
    text = Sidekiq.redis { |redis| redis.hget(KEY, tenant) } or raise Missing, "no policy for #{tenant}"
    Policy.parse(tenant, text)
  end

  # @param policy [Policy]
  # @return [void]
  def self.save(policy)
    Sidekiq.redis { |redis| redis.hset(KEY, policy.tenant, policy.to_text) }
  end
end
