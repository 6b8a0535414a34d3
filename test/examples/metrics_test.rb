# frozen_string_literal: true

require "test_helper"
require_relative "../../examples/metrics/metrics"

class MetricsExampleTest < Minitest::Test
  RUN = File.expand_path("../../examples/metrics/run", __dir__)

  def lines
    @lines ||= Metrics::Lines.make(3_000, seed: 5)
  end

  def shares(count = 4)
    lines.each_slice(lines.size / count).map(&:freeze).freeze
  end

  def test_the_same_seed_gives_the_same_lines_and_another_seed_others
    assert_equal lines, Metrics::Lines.make(3_000, seed: 5)
    refute_equal lines.first, Metrics::Lines.make(1, seed: 6).first
    assert Ractor.shareable?(lines)
  end

  # The stand-in of a json where every option is a keyword.
  def test_the_lines_are_made_where_a_hash_without_braces_would_be_options
    out = ruby!(<<~RUBY, env: { "RUBYLIB" => $LOAD_PATH.join(":") })
      require "./examples/metrics/metrics"
      JSON.singleton_class.prepend(Module.new { def generate(object, **options) = super(object, options) })
      puts Metrics::Lines.make(1, seed: 5)
    RUBY
    assert_equal lines.first, out.chomp
  end

  def test_a_line_is_a_change
    change = Metrics::Change.parse(lines.first)
    assert_includes Metrics::Lines::TABLES, change.table
    assert_includes 1..900, change.lag_ms
    assert_equal lines.first.bytesize, change.bytes
  end

  Metrics::WAYS.each do |name, way|
    define_method("test_the_totals_of_#{name.gsub(/\W+/, "_")}_are_exact") do
      expected = Metrics::Totals.of(lines)
      assert_equal 3_000, expected.counts.values.sum
      assert_equal expected, within(30) { way.call(shares) }
    end
  end

  def test_totals_can_be_read_while_workers_count
    metrics = Metrics::Shared.new
    expected = Metrics::Totals.of(lines)
    counting = Thread.new { Metrics::Ways.workers(shares, metrics) }
    within(30) { assert_only_grows(metrics, expected) while counting.alive? }
    counting.value
    assert_equal expected, metrics.totals
  end

  def test_a_wrong_total_is_reported
    losing = ->(mine) { Metrics::Ways::SharedMap.call([mine.first.drop(1), *mine.drop(1)].freeze) }
    ways = { "right" => Metrics::Ways::SharedMap, "wrong" => losing }
    rows = within(30) { Metrics::Comparison.new(lines, workers: 2, ways: ways).run(2) }
    assert_equal [["right", true], ["wrong", false]], rows.map { |row| [row.name, row.exact] }
  end

  def test_the_owner_leaves_nothing_behind
    skip_without_ractors
    assert_leaves_nothing { within(30) { Metrics::Ways::OwnerRactor.call(shares) } }
  end

  def test_the_script_compares_the_ways
    result = assert_success(run_command(RbConfig.ruby, RUN, "--changes", "500", "--rounds", "1", seconds: 60))
    assert_empty result.err
    assert_equal Metrics::WAYS.size, result.out.scan(/exact$/).size
  end

  def test_the_script_refuses_wrong_options_in_one_line
    result = run_command(RbConfig.ruby, RUN, "--workers", "65", seconds: 60)
    assert_equal 2, result.status.exitstatus
    assert_match(%r{\Aexamples/metrics/run: .*65 \(must be 64 or less\)}, result.err)
  end

  private

  # Of one keeper: numbers that were read before never come back.
  def assert_only_grows(metrics, expected)
    before = metrics.changes
    totals = metrics.totals
    assert_operator totals.changes, :>=, before
    assert_operator totals.counts.values.sum, :<=, expected.changes
    expected.counts.each { |name, count| assert_operator totals.counts.fetch(name, 0), :<=, count }
  end
end
