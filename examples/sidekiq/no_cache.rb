# frozen_string_literal: true

require "ratomic"

# Asks for the policy of every job: what the {PolicyCache} is compared with.
class NoCache
  # @param source [#call] gets a tenant, returns a {Policy}
  def initialize(source)
    @source = source
    @refreshes = Ratomic::Counter.new
    freeze
  end

  # @param tenant [String]
  # @return [Policy]
  def fetch(tenant)
    @refreshes.increment
    @source.call(tenant)
  end

  # @return [Hash{String => Integer}] as that of the {PolicyCache}
  def figures
    { "hits" => 0, "misses" => @refreshes.read, "refreshes" => @refreshes.read }
  end
end
