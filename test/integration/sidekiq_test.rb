# frozen_string_literal: true

require "test_helper"
require "support/libraries"
require_relative "../../examples/support/redis_server"

# The example with a real Sidekiq and a real Redis: TERM in the middle of the work.
class SidekiqTest < Minitest::Test
  RUN = File.expand_path("../../examples/sidekiq/run", __dir__)

  def setup
    skip "redis-server is not installed" unless RedisServer.available?
    skip "needs sidekiq (Debian: apt install ruby-sidekiq)" unless Libraries.load("sidekiq")
  end

  def row(out, name)
    out[/^#{name}\s+(.*)$/, 1].to_s.split.map(&:to_f)
  end

  def test_no_job_is_lost_or_counted_twice
    result = assert_success(run_command(RbConfig.ruby, RUN, "--jobs", "200", "--policies", "200", seconds: 400))
    refute_includes result.out, "WRONG"
    assert_equal 202, row(result.out, "jobs counted").sum
    assert_equal [2, 0], row(result.out, "jobs put back on TERM")
    assert_operator row(result.out, "dispatches cancelled").first, :>=, 1
    assert_match(/^1 job was done again after it had been counted, and counted once$/, result.out)
    hits, misses, refreshes = ["cache hits", "cache misses", "policy refreshes"].map { |name| row(result.out, name) }
    assert_equal 204, hits.sum + misses.sum # the two that were put back were looked up twice
    assert_operator refreshes.sum, :<=, 16 # tenants, in each process
    assert_operator row(result.out, "seconds from TERM to end").max, :<, 12
    assert_match(/^cached for 60 s .* 8 questions to Redis$/, result.out)
    assert_match(/^looked up each time .* 200 questions to Redis$/, result.out)
  end

  def test_wrong_options_are_refused_in_one_line
    result = run_command(RbConfig.ruby, RUN, "--jobs", "99", seconds: 60)
    assert_equal 2, result.status.exitstatus
    assert_match(%r{\Aexamples/sidekiq/run: .*99 \(must be 100 or more\)}, result.err)
  end
end
