# frozen_string_literal: true

require "test_helper"
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

  def test_items_are_frozen_and_shareable
    item = feed(*transaction(table, insert(10, 1, "a"))).first

    assert_predicate item, :frozen?
    assert_predicate item.payload, :frozen?
    assert Ractor.shareable?(item)
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

  def test_a_description_that_cannot_be_read_becomes_a_malformed_item_and_ends_the_one_before
    items = feed(*transaction(table, insert(10, 1, "a"), relation(10, "n\xFF", { "id" => :int4 }), insert(10, 2, "b")))

    assert_equal [nil, "a name is no UTF-8: \"n\\xFF\"", nil], items.map(&:defect)
    assert_equal [0, nil, nil], items.map(&:schema)
  end

  def test_the_messages_between_rows_are_decoded
    moment = Cdc::Transaction.parse(start(xid: 5, lsn: 77, microseconds: 1_500_000))

    assert_equal [77, Time.utc(2000, 1, 1, 0, 0, 1.5r), 5], moment.to_a
    assert_equal [1, 2, Time.utc(2000)], Cdc::Transaction.parse(commit).to_a
    assert_equal [9, "there"], Cdc::Transaction.parse(origin("there")).to_a
    assert_equal [70_000, "public.mood"], Cdc::Transaction.parse(type(70_000, "public", "mood")).to_a
    assert_equal [true, 5, "prefix", "a\nb"], Cdc::Transaction.parse(emitted("prefix", "a\nb")).to_a
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

  def feed(*messages)
    @intake.feed(stream(*messages)) + @intake.finish
  end
end
