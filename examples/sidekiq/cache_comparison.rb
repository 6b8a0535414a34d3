# frozen_string_literal: true

require_relative "order_queue"
require_relative "policy_job"
require_relative "sidekiq_process"

# Jobs that need nothing but their policy: from a cache, or looked up for every job.
class CacheComparison
  # seconds: from the first job to the last; figures: of the policies
  Row = Struct.new(:name, :seconds, :figures)

  WAYS = { "cached for 60 s" => "60", "looked up each time" => "none" }.freeze

  # @param queue [OrderQueue]
  # @param tenants [Array<String>] whose policies are stored
  # @param jobs [Integer]
  def initialize(queue, tenants, jobs:)
    @queue = queue
    @arguments = Array.new(jobs) { |i| [tenants[i % tenants.size]] }
  end

  # @return [Array<Row>]
  # @raise (see OrderQueue#serve)
  def run
    WAYS.map do |name, policies|
      Sidekiq::Client.push_bulk("class" => PolicyJob, "args" => @arguments)
      began = ended = nil
      part = @queue.serve({ "POLICIES" => policies }) do
        began ||= now if @queue.size < @arguments.size
        ended = now if @queue.size.zero?
      end
      Row.new(name, ended - began, part.figures.fetch("policies"))
    end
  end

  private

  def now
    Process.clock_gettime(Process::CLOCK_MONOTONIC)
  end
end
