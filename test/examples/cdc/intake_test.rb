# frozen_string_literal: true

require "test_helper"
require "objspace"
require_relative "../../../examples/cdc/cdc"
require_relative "../support/pgoutput"

class CdcIntakeTest < Minitest::Test
  include Pgoutput

  def setup
    @intake = Cdc::Intake.new
  end

  def test_row_changes_and_truncates_become_items_and_nothing_else_does
    items = feed(*transaction(origin("there"), type(70_000, "public", "mood"), table, insert(10, 1, "a"),
                              update(10, 1, "b"), emitted("x", "y"), delete(10, key: [1, nil]), truncate(10)))

    assert_equal(%w[I U D T], items.map { |item| item.payload[0] })
    assert_equal({ "B" => 1, "O" => 1, "Y" => 1, "R" => 1, "I" => 1, "U" => 1, "M" => 1, "D" => 1, "T" => 1, "C" => 1 },
                 @intake.messages)
  end

  def test_an_item_knows_its_transaction_and_its_place
    items = feed(*transaction(table, insert(10, 1, "a"), xid: 7), *transaction(insert(10, 2, "b"), xid: 8))

    assert_equal [7, 8], items.map(&:xid)
    assert_equal stream(start, table).bytesize, items.first.offset
    assert_equal 2, @intake.transactions
  end

  def test_runs_are_frozen_and_shareable_and_so_are_items
    run = events(*transaction(table, insert(10, 1, "a"))).first

    assert Ractor.shareable?(run)
    assert_predicate run.bytes, :frozen?
    assert(run.messages.all? { |item| Ractor.shareable?(item) })
  end

  def test_rows_that_stand_together_are_one_run_of_a_certain_size
    rows = Array.new(2000) { |number| insert(10, number, "x" * 100) }
    runs = events(*transaction(table, *rows))

    assert_equal rows, runs.flat_map(&:messages).map { |item| item.payload.b }
    assert(runs.all? { |run| run.bytesize <= Cdc::Intake::RUN + 200 })
    assert_equal (rows.sum(&:bytesize) / Cdc::Intake::RUN.to_f).ceil, runs.size
  end

  def test_a_stream_in_small_pieces_gives_the_same_items
    bytes = stream(*transaction(table, insert(10, 1, "a"), emitted("p", "q"), update(10, 1, "b")),
                   *block(9, insert(10, 2, "c"), in_part(10, insert(10, 3, "d"))), stream_abort(9, 10),
                   stream_commit(9))
    whole = items(@intake.feed(bytes) + @intake.finish)
    pieces = Cdc::Intake.new
    fed = bytes.each_char.flat_map { |byte| pieces.feed(byte) } + pieces.finish

    assert_equal 3, whole.size
    assert_equal whole.map { |item| [item.payload, item.xid, item.offset, item.schema] },
                 items(fed).map { |item| [item.payload, item.xid, item.offset, item.schema] }
  end

  def test_a_row_keeps_the_description_that_was_current_where_it_stood
    wider = relation(10, "notes", { "id" => :int4, "text" => :text, "stars" => :int4 })
    items = feed(*transaction(table, insert(10, 1, "a"), wider, insert(10, 2, "b", 5), table, insert(10, 3, "c")))
    columns = items.map { |item| @intake.relations[item.schema].column_names }

    assert_equal [%w[id text], %w[id text stars], %w[id text]], columns
  end

  def test_a_description_that_says_nothing_new_gets_no_new_number
    items = feed(*transaction(table, insert(10, 1, "a"), table, insert(10, 2, "b")))

    assert_equal 1, items.map(&:schema).uniq.size
    assert_equal 1, @intake.relations.size
  end

  def test_a_row_of_a_table_that_was_never_described_becomes_an_item_without_a_schema
    assert_nil feed(*transaction(insert(99, 1))).first.schema
  end

  def test_a_description_that_cannot_be_read_is_lost_and_ends_the_one_before
    events = events(*transaction(table, insert(10, 1, "a"), relation(10, "n\xFF", { "id" => :int4 }),
                                 insert(10, 2, "b")))
    loss = events.grep(Cdc::Loss).first

    assert_equal "a name is no UTF-8: \"n\\xFF\" (the session needs client_encoding = UTF8)", loss.defect
    assert_equal({ 10 => "public.notes" }, loss.tables)
    assert_equal [0, nil], items(events).map(&:schema)
    assert_match(/ lost, at least 1 message; unknown from here: public.notes\z/, loss.to_s)
  end

  def test_the_bytes_of_a_broken_message_are_named_and_all_around_them_is_there
    broken = "Z\x00broken"
    before = stream(start, table, insert(10, 1, "a"))
    events = events(*before_and(insert(10, 1, "a")), broken, insert(10, 2, "b"), commit)
    loss = events.grep(Cdc::Loss).first

    assert_equal [before.bytesize, broken.bytesize + 1, 1, {}], [loss.from, loss.bytes, loss.messages, loss.tables]
    assert_equal [1, 2], ids(events)
    assert_equal 1, @intake.losses
  end

  # Such a message is longer than its letter says, so that its end cannot be found.
  def test_a_broken_description_in_front_of_its_rows_names_the_table_that_is_unknown_now
    broken = relation(11, "others", { "id" => :int4 }).sub("d\0\1".b, "d\xff\1".b)
    events = events(*before_and(insert(10, 1, "a")), broken, insert(11, 5), insert(10, 2, "b"), commit)
    loss = events.grep(Cdc::Loss).first

    assert_equal({ 11 => "public.others" }, loss.tables)
    assert_equal [1, nil, 2], ids(events)
  end

  def test_text_that_looks_like_messages_inside_a_broken_one_is_not_taken_for_any
    [[commit(xid: 9), start(xid: 10), insert(10, 66, "fake")], [insert(10, 66, "fake")] * 3,
     [insert(10, 66, "fake"), commit(xid: 6), start(xid: 7)], [insert(12, 66, "fake")] * 9,
     [commit(xid: 8), *transaction(insert(10, 66, "fake"), xid: 6)]].each do |fakes|
      @intake = Cdc::Intake.new
      fake = insert(10, 3, "text:\n#{stream(*fakes)}and so on").sub("N\0\2".b, "N\0\3".b)
      events = events(*before_and(insert(10, 1, "a")), fake, insert(10, 4, "b"), commit)

      assert_equal [1, 4], ids(events), fakes.inspect
      assert_equal [7], items(events).map(&:xid).uniq
      assert_equal fake.bytesize + 1, events.grep(Cdc::Loss).sum(&:bytes)
    end
  end

  # It may be one, or text that looks like one: rows that cannot be read are better than rows read wrongly.
  def test_what_looks_like_a_description_in_lost_bytes_makes_its_table_unknown
    broken = "Z text\n#{stream(relation(10, "notes", { "id" => :text, "text" => :int4 }))}more"
    events = events(*before_and(insert(10, 1, "a")), broken, insert(10, 2, "b"), table, insert(10, 3, "c"), commit)

    assert_equal [1, nil, 3], ids(events)
    assert_equal({ 10 => "public.notes" }, events.grep(Cdc::Loss).first.tables)
  end

  def test_a_transaction_whose_begin_or_commit_is_broken_loses_none_of_its_rows
    rows = [insert(10, 1, "a"), insert(10, 2, "b")]
    { [start.sub("B", "Z"), table, *rows, commit, *transaction(insert(10, 3, "c"), xid: 8)] => [nil, nil, 8],
      [start, table, *rows, commit.sub("C", "Z"), *transaction(insert(10, 3, "c"), xid: 8)] => [7, 7, 8] }
      .each do |messages, xids|
        @intake = Cdc::Intake.new
        events = events(*transaction(table, xid: 6), *messages)

        assert_equal [1, 2, 3], ids(events)
        assert_equal xids, items(events).map(&:xid)
        assert_equal 1, events.grep(Cdc::Loss).size
        assert(events.grep(Cdc::Notice).all?(&:damage?))
      end
  end

  def test_a_broken_block_of_a_streamed_transaction_costs_its_broken_message
    rows = Array.new(5) { |number| in_part(9, insert(10, number + 2, "x")) }
    rows[1] = Pgoutput::InPart.new(rows[1].bytes.sub("N\0\2".b, "N\0\3".b))
    events = events(*transaction(table, insert(10, 1, "a")), *block(9, *rows), *transaction(insert(10, 7, "b"), xid: 8),
                    stream_commit(9))

    assert_equal [1, 7, 2, 4, 5, 6], ids(events)
    assert_equal 1, events.grep(Cdc::Loss).size
  end

  def test_logical_messages_are_handed_on_in_their_place_and_not_kept
    events = events(*transaction(table, insert(10, 1, "a"), emitted("p", "one"), insert(10, 2, "b")),
                    emitted("p", "two", transactional: false))
    assert_equal [Cdc::Run, Cdc::Transaction::Emitted, Cdc::Run, Cdc::Transaction::Emitted], events.map(&:class)

    bytes = stream(*transaction(emitted("p", "x" * 1000)))
    assert_equal 1, @intake.feed(stream(*transaction(emitted("p", "x" * 1000), xid: 8))).size
    assert_operator held_bytes { 2000.times { |turn| @intake.feed(bytes_of(turn)) { nil } } }, :<, 500_000
    assert_equal bytes.bytesize * 2000, 2000.times.sum { |turn| bytes_of(turn).bytesize }
  end

  def test_domains_are_cast_as_their_base
    columns = { "id" => :int4, "small" => 90_000, "flag" => 90_001, "mood" => 90_002 }
    feed(*transaction(type(90_000, "", "int2"), type(90_001, "pg_catalog", "bool"), type(90_002, "public", "int4"),
                      relation(10, "notes", columns), insert(10, 1, 2, "t", 3)))

    assert_equal %i[integer integer boolean text], @intake.relations[0].casts
  end

  def test_the_same_description_means_something_else_when_a_domain_has_another_base
    table = relation(10, "notes", { "id" => :int4, "own" => 90_000 })
    feed(*transaction(type(90_000, "", "int2"), table, insert(10, 1, 2)),
         *transaction(type(90_000, "", "int2"), table, insert(10, 1, 2), xid: 8),
         *transaction(type(90_000, "", "bool"), table, insert(10, 1, "t"), xid: 9))

    assert_equal [%i[integer integer], %i[integer boolean]], @intake.relations.to_h.sort.map { |_number, is| is.casts }
  end

  def test_a_description_that_was_lost_counts_again_when_it_is_repeated
    table = relation(10, "notes", { "id" => :int4 })
    unreadable = relation(10, "\xff", { "id" => :int4 })
    feed(*transaction(table, unreadable), *transaction(table, insert(10, 1), xid: 8))

    assert_equal [1, 2], [@intake.losses, @intake.relations.size]
  end

  def test_the_messages_between_rows_are_decoded
    moment = Cdc::Transaction.parse(start(xid: 5, lsn: 77, microseconds: 1_500_000))

    assert_equal [77, Time.utc(2000, 1, 1, 0, 0, 1.5r), 5], moment.to_a
    assert_equal [1, 2, Time.utc(2000)], Cdc::Transaction.parse(commit(lsn: 1, end_lsn: 2)).to_a
    assert_equal [9, "there"], Cdc::Transaction.parse(origin("there")).to_a
    assert_equal [70_000, "public", "mood"], Cdc::Transaction.parse(type(70_000, "public", "mood")).to_a
    assert_equal [true, 5, "prefix", "a\nb", nil], Cdc::Transaction.parse(emitted("prefix", "a\nb")).to_a
    assert_equal [9, true], Cdc::Transaction.parse(stream_start(9)).to_a
    assert_equal [9, 5, 53, Time.utc(2000)], Cdc::Transaction.parse(stream_commit(9, lsn: 5)).to_a
    assert_equal [9, 10], Cdc::Transaction.parse(stream_abort(9, 10)).to_a
    assert_equal [5, 53, Time.utc(2000), 9, "g"], Cdc::Transaction.parse(prepare(9, "g", lsn: 5)).to_a
  end

  def test_a_description_is_decoded
    described = Cdc::Relation.parse(relation(10, "naïve", { "id" => :int8, "größe" => :float8 }, identity: "f"))

    assert_equal [10, "public.naïve", "f", %w[id größe]],
                 [described.oid, described.name, described.identity, described.column_names]
    assert_equal([[20, -1, true], [701, -1, false]], described.columns.map { |column| column.to_a.drop(1) })
    assert_equal "pg_catalog.pg_class", Cdc::Relation.parse(relation(1, "pg_class", {}, namespace: "")).name
  end

  def test_a_stream_that_ends_between_begin_and_commit_is_truncated
    bytes = stream(start(xid: 41), table, insert(10, 1, "a"))
    @intake.feed(bytes)
    error = assert_raises(Cdc::TruncatedStream) { @intake.finish }

    assert_equal "the stream ends at byte #{bytes.bytesize} inside transaction 41: its commit is missing", error.message
  end

  private

  def table
    relation(10, "notes", { "id" => :int4, "text" => :text })
  end

  def before_and(*messages)
    [start, table, *messages]
  end

  def events(*messages)
    @intake.feed(stream(*messages)) + @intake.finish
  rescue Cdc::TruncatedStream
    @intake.feed("") # what it is about is not the end
  end

  def feed(*messages)
    items(@intake.feed(stream(*messages)) + @intake.finish)
  end

  def items(events)
    events.grep(Cdc::Run).flat_map(&:messages)
  end

  # The first values of the rows, nil where they cannot be decoded.
  def ids(events)
    decode = Cdc::DecodeChange.new(@intake.relations)
    items(events).map do |item|
      decode.call(item).row.first
    rescue Cdc::MalformedMessage
      nil
    end
  end

  def bytes_of(turn)
    stream(*transaction(emitted("p", "x" * 1000), xid: 9 + turn))
  end

  # By how much the memory of Strings grows.
  def held_bytes
    GC.start
    before = ObjectSpace.memsize_of_all(String)
    yield
    GC.start
    ObjectSpace.memsize_of_all(String) - before
  end
end
