# frozen_string_literal: true

require "ratomic"

# Policies that all threads of the process share, each for some seconds. Frozen and shareable.
#
# A change of a policy counts when the one that is kept has expired. Of several jobs that miss the same tenant at once,
# one asks and the others wait for its answer; those of other tenants do not wait.
class PolicyCache
  # @param source [#call] gets a tenant, returns a {Policy}; shareable
  # @param expires_in [Numeric] seconds
  def initialize(source, expires_in:)
    @source = source
    @expires_in = expires_in
    @policies = Ratomic::Map.new
    @hits, @misses, @refreshes = Array.new(3) { Ratomic::Counter.new }
    freeze
  end

  # @param tenant [String]
  # @return [Policy]
  # @raise [StandardError] what the source raises; nothing is kept then
  def fetch(tenant)
    if (policy = @policies[tenant])
      @hits.increment
      return policy
    end

    @misses.increment
    @policies.fetch_or_store(tenant, expires_in: @expires_in) do
      @refreshes.increment
      @source.call(tenant)
    end
  end

  # @return [Hash{String => Integer}] "refreshes" are the times that the source was asked
  def figures
    { "hits" => @hits.read, "misses" => @misses.read, "refreshes" => @refreshes.read }
  end
end
