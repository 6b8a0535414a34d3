# frozen_string_literal: true

require "test_helper"
require "support/libraries"
require_relative "../../examples/sidekiq/policy_cache"
require_relative "../../examples/sidekiq/no_cache"
require_relative "../../examples/sidekiq/policy"
require_relative "../../examples/sidekiq/policy_middleware"
require_relative "../../examples/sidekiq/order_line"

# The parts that need no server; test/integration/sidekiq_test.rb has the rest.
class SidekiqExampleTest < Minitest::Test
  include Libraries

  # A source that counts, and that fails for one tenant.
  class Source
    attr_reader :asked

    def initialize
      @asked = Ratomic::Counter.new
      freeze
    end

    def call(tenant)
      @asked.increment
      raise IOError, "no answer" if tenant == "broken"

      Policy.new(tenant, 100, tenant == "suspended").freeze
    end
  end

  # A job, as the middleware sees it.
  class Job
    attr_accessor :policy
    attr_reader :refused

    def refuse
      @refused = true
    end
  end

  def setup
    @source = Source.new
    @cache = PolicyCache.new(@source, expires_in: 60)
  end

  def figures(hits, misses, refreshes)
    { "hits" => hits, "misses" => misses, "refreshes" => refreshes }
  end

  def test_each_tenant_is_asked_about_once
    3.times { %w[a b].each { |tenant| assert_equal tenant, @cache.fetch(tenant).tenant } }
    assert_equal figures(4, 2, 2), @cache.figures
  end

  def test_jobs_that_miss_at_once_share_one_answer
    entered = Thread::Queue.new
    answer = Thread::Queue.new
    source = lambda do |tenant|
      entered << tenant
      answer.pop
    end
    cache = PolicyCache.new(source, expires_in: 60)
    threads = Array.new(5) { Thread.new { cache.fetch("a") } }
    within(10) { entered.pop }
    eventually(10, "all misses") { cache.figures["misses"] == 5 }
    threads.each { |thread| until_asleep(thread) }
    answer << Policy.new("a", 1, false).freeze
    assert_equal ["a"] * 5, within(10) { threads.map { |thread| thread.value.tenant } }
    assert_equal figures(0, 5, 1), cache.figures
    assert_empty entered
  end

  def test_a_policy_that_has_expired_is_asked_for_again
    cache = PolicyCache.new(@source, expires_in: 0.01)
    cache.fetch("a")
    eventually(10, "another question") { cache.fetch("a") && @source.asked.value > 1 }
  end

  def test_a_source_that_fails_is_asked_again
    2.times { assert_raises(IOError) { @cache.fetch("broken") } }
    assert_equal figures(0, 2, 2), @cache.figures
  end

  def test_ractors_share_the_cache
    skip_without_ractors
    ractors = Array.new(2) { Ractor.new(@cache) { |cache| 100.times.map { cache.fetch("a").limit_cents }.uniq } }
    assert_equal [[100], [100]], within(10) { ractors.map(&:value) }
    assert_equal 1, @source.asked.value
    assert_equal 200, @cache.figures.values_at("hits", "misses").sum
  end

  def test_without_a_cache_every_job_asks
    policies = NoCache.new(@source)
    3.times { policies.fetch("a") }
    assert_equal 3, @source.asked.value
    assert_equal figures(0, 3, 3), policies.figures
  end

  def test_the_middleware_passes_the_policy_and_refuses_suspended_tenants
    middleware = PolicyMiddleware.new(@cache)
    job = Job.new
    assert_equal(:ran, middleware.call(job, { "args" => ["a", []] }, "orders") { :ran })
    assert_equal "a", job.policy.tenant
    refute job.refused
    job = Job.new
    middleware.call(job, { "args" => ["suspended", []] }, "orders") { flunk "it ran" }
    assert job.refused
  end

  def test_what_is_missing_is_told
    script = File.expand_path("../../examples/sidekiq/run", __dir__)
    result = run_command(RbConfig.ruby, script, seconds: 120, env: { "PATH" => "/nowhere" })
    assert_equal [77, ""], [result.status.exitstatus, result.err]
    assert_equal "examples/sidekiq/run: there is no redis-server (Debian: apt install redis-server)\n", result.out
  end

  def test_a_policy_survives_its_text
    policy = Policy.new("a", 5, true)
    assert_equal policy, Policy.parse("a", policy.to_text)
    assert Ractor.shareable?(Policy.parse("a", policy.to_text))
  end

  def test_a_line_is_held_against_the_policy_of_its_dispatch
    lines = [JSON.generate({ "items" => [{ "cents" => 40, "count" => 2 }] }),
             JSON.generate({ "items" => [{ "cents" => 51, "count" => 2 }] }), "{"]
    pool = Ratomic::Workers::Pool.new(size: 2, min_batch: 0)
    results = pool.dispatch_async(lines, OrderLine, context: @source.call("a")).value(timeout: 20)
    assert_equal 80, results[0]
    assert_equal OrderLine::REJECTIONS.values_at(2, 0), results.drop(1).map(&:exception_class)
  ensure
    pool&.kill
  end
end
