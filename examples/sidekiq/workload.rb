# frozen_string_literal: true

require "json"
require_relative "policy"
require_relative "order_job"

# Policies and jobs made from a seed, and the results that they must have.
class Workload
  TENANTS = 8

  # @return [Array<Policy>] the last one is suspended
  attr_reader :policies
  # @return [Hash{String => String}] the results that the jobs must have, by job id; empty before {#push}
  attr_reader :expected
  # @return [Array<String>] ids of the two jobs that hang, if their process has been told to let them: one waits for a
  #   supplier, the other one lingers after it was counted
  attr_reader :long

  # @param jobs [Integer]
  # @param lines [Integer] of each
  # @param seed [Integer]
  def initialize(jobs:, lines:, seed: 1)
    @random = Random.new(seed)
    @policies = Array.new(TENANTS) { |i| Policy.new("tenant#{i}", 2_000 + (i * 500), i == TENANTS - 1).freeze }
    @jobs = Array.new(jobs) { [@policies.sample(random: @random), Array.new(lines) { line }, false] }
    @place = jobs / 20 # not the first ones, and there is more to do after them
    @jobs.insert(@place, [@policies[0], [line(ask: true), *Array.new(lines - 1) { line }], false],
                 [@policies[0], [line], true])
    @expected = {}
  end

  # Stores the policies and pushes all jobs.
  # @return [void]
  def push
    @policies.each { |policy| PolicySource.save(policy) }
    ids = Sidekiq::Client.push_bulk("class" => OrderJob, "args" => @jobs.map { |policy, *rest| [policy.tenant, *rest] })
    @long = ids[@place, 2]
    @expected = ids.zip(@jobs).to_h { |id, (policy, lines, _)| [id, result(policy, lines)] }
  end

  private

  def line(ask: false)
    items = Array.new(@random.rand(1..4)) do
      { "name" => "n" * 30, "cents" => @random.rand(1..800), "count" => @random.rand(1..3) }
    end
    text = JSON.generate({ "ask" => ask, "items" => items })
    @random.rand(50).zero? ? text.chop : text
  end

  def result(policy, lines)
    return "refused" if policy.suspended

    totals = lines.map do |line|
      OrderLine.cents(line, policy)
    rescue JSON::ParserError, KeyError, OrderLine::OverLimit
      nil
    end
    OrderJob.result(totals)
  end
end
