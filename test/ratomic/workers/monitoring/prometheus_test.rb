# frozen_string_literal: true

require "test_helper"
require "support/worker_callables"

class PrometheusTest < Minitest::Test
  include WorkerCallables

  def setup
    @pool = Ratomic::Workers::Pool.new(size: 2, min_batch: 0, name: "sta\"ts")
  end

  def teardown
    @pool.kill
  end

  def test_the_text_is_well_formed
    @pool.dispatch_async([1, :raise_error], Misbehave).wait(timeout: 5)
    text = @pool.to_prometheus
    label = /[a-z_]+="(?:[^"\\]|\\["\\n])*"/
    text.each_line do |line|
      assert_match(/\A(?:# (?:HELP|TYPE) [a-z_]+ .+|[a-z_]+\{#{label}(?:,#{label})*\} -?[0-9.e+-]+)\n\z/, line)
    end
    assert_includes text, %(ratomic_workers_items_finished_total{pool="sta\\"ts",backend="#{@pool.backend}"} 2\n)
    assert_match(/failures_total\{.*class="KeyError"\} 1$/, text)
    buckets = text.scan(/seconds_bucket\{.*\} (\d+)$/).flatten.map(&:to_i)
    assert_equal buckets.sort, buckets
    assert_equal [1, 1], [buckets.last, text[/seconds_count\{.*\} (\d+)/, 1].to_i]
  end
end
