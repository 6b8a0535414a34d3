# frozen_string_literal: true

require "test_helper"
require_relative "../../../examples/cdc/cdc"
require_relative "../../../examples/cdc/statistics"

# The committed recording against what the server that made it had counted.
class CdcRecordingTest < Minitest::Test
  STATISTICS = File.join(File.dirname(Cdc::RECORDING), "statistics.json")

  def setup
    @recording = Cdc.load(Cdc::RECORDING)
    @statistics = Cdc::Statistics.load(STATISTICS)
    @decode = Cdc::DecodeChange.new(@recording.relations)
  end

  def test_the_totals_of_workers_equal_what_postgresql_counted
    results = within(60) { Ratomic::Workers.dispatch_async(@recording.items, @decode).value(timeout: 50) }

    assert_empty results.grep(Ratomic::Workers::Failure)
    assert_empty @statistics.differences(@decode.totals, @recording.messages)
    assert_equal @recording.items.size, @decode.totals.changes
    assert_equal @recording.items.sum(&:bytesize), @decode.totals.bytes
  end

  def test_workers_that_take_runs_count_the_same
    count = Cdc::CountRuns.new(@recording.relations)
    reduction = within(60) { Ratomic::Workers.reduce(@recording.runs, count, timeout: 50).check }
    totals = Cdc::Totals.new
    totals.add(reduction.sum.tally)

    assert_empty reduction.sum.rejected
    assert_equal [@recording.runs.size, @recording.items.size], [reduction.count, totals.changes]
    assert_empty @statistics.differences(totals, @recording.messages)
  end

  def test_a_run_decodes_to_what_its_messages_decode_to
    @recording.runs.each do |run|
      changes = []
      Cdc::RunReader.new(run, @recording.relations).each { |change, _bytes| changes << change }

      assert_equal run.messages.map { |item| @decode.call(item) }, changes
    end
  end

  def test_workers_decode_what_a_plain_map_decodes
    items = @recording.items
    results = within(60) { Ratomic::Workers.dispatch_async(items, @decode).value(timeout: 50) }

    assert_equal items.map { |item| @decode.call(item) }, results
  end

  def test_every_message_ends_where_the_server_itself_ends_it
    assert_equal @statistics.md5, Cdc::Statistics.md5(File.binread(Cdc::RECORDING))
  end

  def test_a_number_that_differs_is_found
    first, *others = @recording.items
    others.each { |item| @decode.call(item) }
    table = @decode.call(first).table
    @decode.call(first)
    counted = @statistics.tables.fetch(table).fetch("inserts")

    assert_equal ["#{table} inserts: #{counted + 1} decoded, #{counted} by PostgreSQL"],
                 @statistics.differences(@decode.totals, @recording.messages)
    refute_empty @statistics.differences(@decode.totals, @recording.messages.merge("T" => 0))
  end

  def test_rows_on_both_sides_of_a_schema_change_have_the_columns_of_their_time
    articles = @recording.items.map { |item| @decode.call(item) }.select { |change| change.table == "public.articles" }
    columns = articles.map { |change| change.relation.column_names }.uniq

    assert_equal [%w[id title body revision], %w[id title body revision stars],
                  %w[id title body revision stars checked], %w[id title body stars checked]], columns
    articles.each { |change| assert_equal change.relation.columns.size, (change.row || change.old).size }
  end

  def test_it_holds_every_kind_of_message_and_of_value
    assert_equal %w[B C D I M O R T U Y], @recording.messages.keys.sort
    changes = @recording.items.map { |item| @decode.call(item) }
    values = changes.flat_map { |change| (change.row || []) + (change.old || []) }

    [Integer, Float, true, false, nil, String, Hash, Time, Cdc::RowReader::UNCHANGED].each do |kind|
      assert(values.any? { |value| kind === value }, kind.inspect) # rubocop:disable Style/CaseEquality
    end
    assert(changes.any? { |change| change.kind == :update && change.old&.none?(&:nil?) }, "a whole old row")
  end

  def test_it_is_shareable_and_its_items_can_be_repeated
    assert Ractor.shareable?(@recording)
    (@recording.items * 2).each { |item| @decode.call(item) }

    assert_equal @recording.items.size * 2, @decode.totals.changes
    @decode.totals.reset
    assert_equal [{}, 0, 0], [@decode.totals.to_h, @decode.totals.changes, @decode.totals.bytes]
  end

  def test_a_file_that_is_not_there_or_is_cut_raises
    assert_raises(Errno::ENOENT) { Cdc.load("no/such/file") }
    bytes = File.binread(Cdc::RECORDING)
    error = assert_raises(Cdc::TruncatedStream) { Cdc::Recording.parse(bytes[0, bytes.bytesize / 2]) }

    assert_match(/\Athe stream ends (inside the message )?at byte \d+/, error.message)
  end
end
