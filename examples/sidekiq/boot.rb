# frozen_string_literal: true

# What the Sidekiq process loads (`sidekiq -r`). The environment says how policies are had: POLICIES is a number of
# seconds, for which each is kept, or "none".

require "json"
require_relative "policy_source"
require_relative "policy_cache"
require_relative "no_cache"
require_relative "policy_middleware"
require_relative "order_job"
require_relative "policy_job"

# Sidekiq 6 calls newer Redis clients in ways that these warn of.
Redis.silence_deprecations = true if Redis.respond_to?(:silence_deprecations=)

kept = ENV.fetch("POLICIES", "60")
POLICIES = kept == "none" ? NoCache.new(PolicySource) : PolicyCache.new(PolicySource, expires_in: Float(kept))

Sidekiq.configure_server do |config|
  config.server_middleware { |chain| chain.add(PolicyMiddleware, POLICIES) }
end

# Jobs may dispatch until Sidekiq has ended their threads, which is after its `:shutdown` event. So the workers are left
# to end with the process.
if Sidekiq.server?
  at_exit do
    cancelled = OrderJob::POOL.stats.dig(:dispatches, :cancelled)
    Ledger.report(JSON.generate({ "policies" => POLICIES.figures, "cancelled" => cancelled }))
  end
end
