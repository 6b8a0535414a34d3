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

  def test_all_pools_of_the_process_have_one_text
    others = %w[one two two].map { |name| Ratomic::Workers::Pool.new(size: 1, min_batch: 0, name: name) }
    [@pool, *others].each { |pool| pool.dispatch_async([1, 2], Misbehave).wait(timeout: 5) }
    text = Ratomic::Workers.to_prometheus
    types = text.scan(/^# TYPE (\S+)/).flatten
    assert_equal types.uniq, types
    assert_equal types.sort, text.scan(/^# HELP (\S+)/).flatten.sort
    samples = text.lines.grep_v(/^#/).map { |line| line[/\A(.*) \S+\n/, 1] }
    assert_equal samples.uniq, samples
    made = text.scan(/^ratomic_workers_items_total\{(.*)\} 2$/).flatten
    assert_equal 4, made.grep(/pool="(?:sta\\"ts|one|two)"/).size
    assert_equal [%w[1], %w[2]], made.join.scan(/pool="two",backend="[a-z]+",number="(\d)"/).sort
  ensure
    others&.each(&:kill)
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
