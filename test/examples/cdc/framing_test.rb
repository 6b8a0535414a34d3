# frozen_string_literal: true

require "test_helper"
require_relative "../../../examples/cdc/cdc"
require_relative "../support/pgoutput"

class CdcFramingTest < Minitest::Test
  include Pgoutput

  KINDS = [
    Pgoutput.start, Pgoutput.commit, Pgoutput.origin("else\nwhere"), Pgoutput.type(70_000, "public", "mo\nod"),
    Pgoutput.relation(10, "ta\nble", { "id" => :int4, "no\nte" => :text }),
    Pgoutput.insert(10, 1, "one\nB\nC\n"), Pgoutput.insert(10, nil, :unchanged),
    Pgoutput.insert(10, Pgoutput::Binary.new("\n" * 40)),
    Pgoutput.update(10, 1, "x"), Pgoutput.update(10, 1, "x", key: [2, nil]), Pgoutput.update(10, 1, "", old: [2, "\n"]),
    Pgoutput.delete(10, key: [2, nil]), Pgoutput.delete(10, old: [2, "\n"]), Pgoutput.truncate(10, 0x0a0a0a0a),
    Pgoutput.emitted("a", "\nI\n"), Pgoutput.emitted("", "", transactional: false)
  ].map(&:freeze).freeze

  def test_every_kind_of_message_ends_where_it_ends_whatever_is_in_it
    framed = frame(stream(*KINDS))

    assert_equal KINDS, framed.map(&:first)
    assert_equal [nil], framed.map(&:last).uniq
  end

  def test_each_message_is_given_with_its_place_in_the_stream
    places = KINDS[0...-1].inject([0]) { |all, message| all << (all.last + message.bytesize + 1) }

    assert_equal(places, frame(stream(*KINDS)).map { |_payload, at, _defect| at })
  end

  def test_bytes_that_come_one_by_one_make_the_same_messages
    assert_equal frame(stream(*KINDS)), frame(*stream(*KINDS).each_char)
  end

  def test_a_stream_cut_anywhere_but_between_two_messages_is_truncated_where_the_last_one_begins
    whole = stream(*KINDS)
    ends = KINDS.inject([0]) { |all, message| all << (all.last + message.bytesize + 1) }
    1.upto(whole.bytesize - 1) do |size|
      next assert_equal(ends.index(size), frame(whole[0, size]).size) if ends.include?(size)

      error = assert_raises(Cdc::TruncatedStream, "cut at #{size}") { frame(whole[0, size]) }
      from = ends.select { |ending| ending < size }.max
      assert_equal "the stream ends inside the message at byte #{from}, #{size - from} bytes into it", error.message
    end
  end

  def test_a_message_of_an_unknown_kind_costs_only_itself
    messages = stream(start, insert(10, 1, "a"), "Z what\nis this", *[insert(10, 2, "b")] * 3, commit)
    framed = frame(messages)

    assert_equal "Z what\nis this", framed[2][0]
    assert_equal "unknown message type 0x5a", framed[2][2]
    assert_equal([0, 1, 3, 4, 5, 6], framed.each_index.select { |index| framed[index][2].nil? })
  end

  def test_a_wrong_length_costs_only_its_message
    broken = insert(10, 1, "abc").sub([3].pack("N"), [30_000_000].pack("N"))
    framed = frame(stream(start, broken, *[insert(10, 2, "b")] * 3, commit))

    assert_equal [nil, "a length that reaches beyond the end of the stream", nil, nil, nil, nil], framed.map(&:last)
    assert_equal broken, framed[1][0]
  end

  def test_what_is_no_pgoutput_is_malformed_and_says_where
    error = assert_raises(Cdc::MalformedStream) { frame("{\"json\": true}\n" * 50) }

    assert_equal "no pgoutput message at byte 0: unknown message type 0x7b", error.message
  end

  def test_random_damage_loses_no_byte_and_spoils_few_messages
    random = Random.new(20)
    whole = stream(*(KINDS * 20))
    100.times do |round|
      damaged = whole.dup
      damaged.setbyte(random.rand(whole.bytesize - 400), random.rand(256))
      framed = within(10) { frame(damaged) }

      assert_equal damaged, framed.map { |payload, _at, _defect| "#{payload}\n".b }.join, "round #{round}"
      assert_operator (KINDS * 20 - framed.map(&:first)).size, :<=, KINDS.uniq.size
      assert_operator framed.count { |_payload, _at, defect| defect }, :<=, 1, "round #{round}"
    end
  end

  private

  def frame(*pieces)
    found = []
    framing = Cdc::Framing.new
    pieces.each { |piece| framing.feed(piece) { |*message| found << message } }
    framing.finish { |*message| found << message }
    found
  end
end
