# frozen_string_literal: true

require "test_helper"
require_relative "../../../examples/cdc/cdc"
require_relative "../../../examples/cdc/captures"
require_relative "../../../examples/cdc/replay"

# The committed captures of real servers against what these servers said: where messages end, what the tables hold.
class CdcCapturesTest < Minitest::Test
  FILES = Dir[File.expand_path("../../../examples/cdc/fixtures/captures/*.pgoutput", __dir__)].sort.freeze

  def test_they_are_of_every_kind_and_of_two_servers
    names = FILES.map { |file| File.basename(file, ".pgoutput") }
    wanted = Cdc::Captures::KINDS.product([15, 18]).select { |kind, version| version >= kind.least }
                                 .map { |kind, version| "#{kind.name}-#{version}" }
    assert_equal wanted.sort, names
    assert_equal %w[A B C D E I K M P R S U Y b c p r], FILES.flat_map { |file| letters(file) }.uniq.sort
  end

  def test_every_message_ends_where_the_server_itself_ends_it
    each_capture do |file, facts|
      found = []
      Cdc::Statistics.cut(File.binread(file)) { |payload| found << payload }

      assert_equal facts["lengths"], found.map(&:bytesize), file
      assert_equal facts["md5"], Digest::MD5.hexdigest(found.map { |one| Digest::MD5.hexdigest(one) }.join), file
    end
  end

  def test_what_is_decoded_and_replayed_is_what_the_tables_hold
    each_capture do |file, facts|
      recording = Cdc.load(file, json: :text)
      replay = Cdc::Replay.new
      changes(recording).each { |change| replay.apply(change) }

      assert_empty recording.losses + recording.notices, file
      assert_empty Cdc::Content.new(facts["tables"]).differences(replay), file
      assert_operator facts["tables"].values.sum(&:size), :>, 10, file
    end
  end

  def test_a_difference_would_be_found
    file = FILES.find { |path| path.include?("streaming-on-15") }
    facts = JSON.parse(File.read(file.sub(".pgoutput", ".json"), encoding: "UTF-8"))
    replay = Cdc::Replay.new
    changes(Cdc.load(file, json: :text)).drop(1).each { |change| replay.apply(change) }

    assert_match(/\Apublic.s: 1 missing/, Cdc::Content.new(facts["tables"]).differences(replay).join)
  end

  def test_with_a_memory_of_one_byte_they_are_the_same
    each_capture do |file, _facts|
      # NaN is not equal to itself.
      assert_equal(*[Cdc::Intake::MEMORY, 1].map { |memory| changes(Cdc.load(file, memory: memory)).map(&:inspect) })
    end
  end

  def test_json_is_exact_and_its_null_is_none_of_sql
    each_capture("values") do |file, _facts|
      rows = changes(Cdc.load(file)).select { |change| change.table == "public.documents" }.map(&:row)

      assert_equal [nil, :null, :null, nil], rows[0].drop(1)
      assert_equal [:null, nil, { "a" => [1, nil] }, "null"], rows[1].drop(1)
      assert_equal [Rational("12345678901234567890.123456789"), Rational("1e-400")], rows[2][1].values.map(&:to_r)
      assert_equal ['"\ud800"', "é"], rows[3][1, 2]
      assert_equal [1] * 199 << 0, depths(rows[4][1])
    end
  end

  def test_binary_values_are_those_of_the_text
    each_capture("values-binary") do |file, _facts|
      text = changes(Cdc.load(file.sub("-binary", "")))
      binary = changes(Cdc.load(file))

      assert_equal(*[text, binary].map { |changes| changes.map { |change| [change.table, change.kind] } })
      text.zip(binary).each { |one, other| assert_equal one.row.inspect, other.row.inspect, "#{file} #{one.table}" }
    end
  end

  private

  def each_capture(prefix = "")
    found = FILES.select { |file| File.basename(file).start_with?(prefix) }
    refute_empty found
    found.each { |file| yield file, JSON.parse(File.read(file.sub(".pgoutput", ".json"), encoding: "UTF-8")) }
  end

  def changes(recording)
    recording.runs.flat_map do |run|
      found = []
      Cdc::RunReader.new(run, recording.relations).each { |change, _bytes| found << change }
      assert_empty found.grep(Cdc::RunReader::Rejected)
      found
    end
  end

  def letters(file)
    Cdc.load(file).messages.keys
  end

  def depths(value)
    sizes = []
    while value.is_a?(Array)
      sizes << value.size
      value = value.first
    end
    sizes
  end
end
