# frozen_string_literal: true

require "json"

# What a tenant may do. Frozen and shareable.
Policy = Struct.new(:tenant, :limit_cents, :suspended) do
  # @param tenant [String]
  # @param text [String] JSON
  # @return [Policy]
  # @raise [JSON::ParserError, KeyError]
  def self.parse(tenant, text)
    fields = JSON.parse(text)
    new(tenant.dup.freeze, fields.fetch("limit_cents"), fields.fetch("suspended")).freeze
  end

  # @return [String] JSON
  def to_text
    JSON.generate({ "limit_cents" => limit_cents, "suspended" => suspended })
  end
end
