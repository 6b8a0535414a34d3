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
    Pgoutput.emitted("a", "\nI\n"), Pgoutput.emitted("", "", transactional: false),
    Pgoutput.emitted("p" * 5000, "x"),
    *Pgoutput.prepared(8, "g\n8", Pgoutput.insert(10, 1)), Pgoutput.commit_prepared(8, "g\n8"),
    Pgoutput.rollback_prepared(9, "g9"),
    *Pgoutput.block(0x0a0a0a0a, Pgoutput.relation(10, "t", { "id" => :int4 }), Pgoutput.type(9, "", "int4"),
                    Pgoutput.insert(10, 1), Pgoutput.update(10, 1, old: [2]), Pgoutput.delete(10, key: [1]),
                    Pgoutput.truncate(10), Pgoutput.emitted("a", "b")),
    Pgoutput.stream_abort(0x0a0a0a0a, 0x0a0a0a0b), Pgoutput.stream_abort(11, 12, lsn: 0x0b_0000_0000),
    Pgoutput.stream_commit(0x0a0a0a0a), Pgoutput.stream_prepare(10, "g10"), Pgoutput.insert(10, 1)
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

  # As IO#read fills a buffer that was made with +"".
  def test_bytes_that_are_marked_as_text_make_the_same_messages
    whole = stream(*KINDS, insert(10, 1, "größer"), insert(10, 2, "\xff"))
    text = whole.dup.force_encoding(Encoding::UTF_8)

    assert_equal frame(whole), frame(text)
    assert_equal frame(whole), frame(text.byteslice(0, 700), text.byteslice(700..))
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
    assert_equal "unknown message type 0x5a", framed[2][2].defect
    assert_equal([0, 1, 3, 4, 5, 6], framed.each_index.select { |index| framed[index][2].nil? })
  end

  def test_a_wrong_length_costs_only_its_message
    broken = insert(10, 1, "abc").sub([3].pack("N"), [30_000_000].pack("N"))
    framed = frame(stream(start, broken, *[insert(10, 2, "b")] * 3, commit))

    assert_equal [nil, "a length that reaches beyond the end of the stream", nil, nil, nil, nil],
                 framed.map { |*, loss| loss&.defect }
    assert_equal broken, framed[1][0]
  end

  def test_what_is_no_pgoutput_is_malformed_and_says_where_and_what_to_do
    { "{\"json\": true}\n" => "no pgoutput message at byte 0: unknown message type 0x7b (this looks like JSON " \
                              "(wal2json): the slot needs the plugin pgoutput)",
      "BEGIN 731\ntable public.t: INSERT: id[integer]:1\nCOMMIT 731\n" =>
        "no pgoutput message at byte 0: no newline behind its 21 bytes (this looks like test_decoding: the slot " \
        "needs the plugin pgoutput)",
      "#!/bin/sh\n" => "no pgoutput message at byte 0: unknown message type 0x23" }.each do |line, complaint|
      error = assert_raises(Cdc::MalformedStream) { frame(line * 50) }
      assert_equal complaint, error.message
    end
  end

  def test_random_damage_loses_no_byte_and_spoils_few_messages
    random = Random.new(20)
    whole = stream(*(KINDS * 20))
    100.times do |round|
      damaged = whole.dup
      damaged.setbyte(random.rand(whole.bytesize - 400), random.rand(256))
      framed = within(10) { frame(damaged) }

      assert_equal damaged, framed.map { |payload, _at, _loss| "#{payload}\n".b }.join, "round #{round}"
      spoilt = (KINDS * 20).tally.sum { |kind, count| [count - framed.count { |payload, *| payload == kind }, 0].max }
      assert_operator spoilt, :<=, 12, "round #{round}"
      assert_operator framed.count { |*, loss| loss }, :<=, 2, "round #{round}"
    end
  end

  # 8 MiB behind a broken message, in pieces of 64 KiB, took 66 s when each piece looked at all of it again.
  def test_to_look_for_a_place_to_go_on_takes_time_in_proportion_to_the_bytes
    looked = [1, 4].map do |size|
      framing = Cdc::Framing.new
      framing.feed(stream("Z")) { flunk "a message" }
      counted { (size * 16).times { framing.feed(("x" * 63 << "\n") * 1024) { flunk "a message" } } }
    end

    assert_operator looked.last, :<=, 4.2 * looked.first
  end

  def test_bytes_that_are_lost_are_not_kept
    framing = Cdc::Framing.new
    framing.feed("Z\n") { flunk "a message" }
    100.times { framing.feed("no message at all\n" * 1000) { flunk "a message" } }

    assert_operator framing.instance_variable_get(:@data).bytesize, :<, 40_000
  end

  private

  # How many messages are looked for, which is what takes the time.
  def counted(&block)
    count = 0
    trace = TracePoint.new(:call) { |point| count += 1 if point.method_id == :message_end }
    trace.enable(target_thread: Thread.current, &block)
    count
  end

  # @return [Array] payload, place, loss
  def frame(*pieces)
    found = []
    whole = pieces.join.b
    framing = Cdc::Framing.new
    take = lambda do |data, at, ending, loss|
      next found << [whole[loss.from...(loss.to - 1)], loss.from, loss] if loss

      found << [data[at...ending], framing.base + at, nil]
    end
    pieces.each { |piece| framing.feed(piece, &take) }
    framing.finish(&take)
    found
  end
end
