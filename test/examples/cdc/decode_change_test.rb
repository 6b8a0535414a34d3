# frozen_string_literal: true

require "test_helper"
require_relative "../../../examples/cdc/cdc"
require_relative "../support/pgoutput"

class CdcDecodeChangeTest < Minitest::Test
  include Pgoutput

  def test_an_insert_has_its_new_row
    change = decode(insert(10, 1, "größer"))

    assert_equal [:insert, "public.notes", [1, "größer"], nil, 7],
                 [change.kind, change.table, change.row, change.old, change.xid]
    assert_equal({ "id" => 1, "text" => "größer" }, change.to_h)
    assert_equal [1, "größer", nil], [change["id"], change[:text], change[:other]]
  end

  def test_an_update_has_the_old_row_as_far_as_the_stream_has_it
    assert_nil decode(update(10, 1, "b")).old
    { { key: [2, nil] } => [2, nil], { old: [1, "a"] } => [1, "a"] }.each do |before, old|
      change = decode(update(10, 1, "b", **before))
      assert_equal [old, [1, "b"]], [change.old, change.row]
    end
  end

  def test_a_delete_has_its_old_row_and_no_new_one
    change = decode(delete(10, key: [3, nil]))

    assert_equal [:delete, nil, [3, nil], 3], [change.kind, change.row, change.old, change["id"]]
    assert_equal [3, "c"], decode(delete(10, old: [3, "c"])).old
  end

  def test_a_truncate_names_all_its_tables
    changes = decode_all(table, relation(11, "others", { "id" => :int4 }), truncate(10, 11))

    assert_equal [:truncate], changes.map(&:kind)
    assert_equal %w[public.notes public.others], changes.first.relations.map(&:name)
    assert_equal({ "public.notes" => 1, "public.others" => 1 }, @totals.to_h.transform_values { |of| of[:truncates] })
  end

  def test_null_unchanged_and_binary_values_are_told_apart_from_text
    assert_equal [nil, Cdc::RowReader::UNCHANGED], decode(update(10, nil, :unchanged)).row
    assert_equal [-5, "größe"], decode(insert(10, Pgoutput::Binary.new([-5].pack("q>")), binary("größe"))).row
  end

  def test_an_unchanged_value_is_taken_from_the_old_row_where_that_has_it
    assert_equal [1, "a"], decode(update(10, 1, :unchanged, old: [1, "a"])).row
    assert_equal [1, nil], decode(update(10, 1, :unchanged, old: [1, nil])).row
    assert_equal [2, Cdc::RowReader::UNCHANGED], decode(update(10, :unchanged, :unchanged, key: [2, nil])).row
  end

  def test_a_document_that_no_value_can_hold_stays_text_with_a_note
    columns = { "id" => :int8, "doc" => :json }
    deep = ("[" * 600) << ("]" * 600)
    { deep => /\Akept as text: nested deeper than 500 levels\z/, '["\ud800"]' => /half of a surrogate pair/,
      "[1e9999999999]" => /an exponent of five digits/ }.each do |text, note|
      change = decode_all(relation(10, "notes", columns), insert(10, 1, text)).first

      assert_equal [1, text], change.row
      assert_match note, change.notes.fetch("doc")
    end
    assert_nil decode_all(relation(10, "notes", columns), insert(10, 1, "[1]")).first.notes
  end

  def test_a_binary_value_of_a_type_that_is_not_known_is_refused_with_what_to_do
    error = assert_raises(Cdc::MalformedMessage) do
      decode_all(relation(10, "notes", { "id" => :int8, "place" => 600 }), insert(10, 1, binary("x" * 16)))
    end

    assert_match(/\Apublic.notes.place: a value of the type 600 in binary form, which is not decoded here: leave the /,
                 error.message)
  end

  def test_integers_of_all_sizes_come_out_exact
    [0, 7, -1, 2_147_483_647, -9_223_372_036_854_775_808, 9_223_372_036_854_775_807].each do |number|
      assert_equal number, decode(insert(10, number, "")).row.first
    end
  end

  def test_a_change_and_all_in_it_is_frozen_and_shareable
    change = decode(update(10, 1, "b", old: [1, "a"]))

    assert_predicate change, :frozen?
    assert_predicate change.row, :frozen?
    assert_predicate change.row.last, :frozen?
    assert Ractor.shareable?(Ractor.make_shareable(change))
    assert_equal change, decode(update(10, 1, "b", old: [1, "a"]))
    refute_equal change, decode(update(10, 1, "b", old: [1, "c"]))
  end

  def test_what_does_not_fit_is_malformed_and_says_what_and_where
    at = stream(start, table).bytesize
    { insert(10, "12x", "") => "no integer in public.notes.id", insert(10, "", "") => "no integer in public.notes.id",
      insert(10, "-", "") => "no integer in public.notes.id",
      insert(10, 1) => "a row of 1 columns for public.notes, which has 2",
      insert(10, 1, "\xFF") => "no UTF-8 in public.notes.text (the session needs client_encoding = UTF8)",
      insert(99, 1) => "the stream never described table 99",
      truncate(98) => "the stream never described table 98" }.each do |message, complaint|
      error = assert_raises(Cdc::MalformedMessage) { decode(message) }
      assert_equal "#{complaint} (message at byte #{at})", error.message
    end
  end

  def test_a_value_that_is_not_of_its_type_is_told_with_its_beginning
    types = { float8: "1.5.", bool: "true", jsonb: "{", timestamptz: "yesterday", bytea: '\x0' }
    types.each do |type, text|
      error = assert_raises(Cdc::MalformedMessage) { decode(insert(10, text), c: type) }
      assert_match(/\Ano \w+ in public.notes.c: #{Regexp.escape(text.inspect)}(?: \(the session .*\))? \(message/,
                   error.message)
    end
    ["", "x", "tt", "T"].each do |text|
      error = assert_raises(Cdc::MalformedMessage) { decode(insert(10, text), c: :bool) }
      assert_includes error.message, "no boolean in public.notes.c: #{text.inspect} (message"
    end
    assert_equal([true, false], %w[t f].map { |text| decode(insert(10, text), c: :bool)["c"] })
  end

  def test_whatever_byte_is_damaged_nothing_but_malformed_messages_come_of_it
    columns = { "id" => :int8, "a" => :float8, "b" => :bool, "c" => :jsonb, "d" => :timestamptz, "e" => :bytea }
    row = [-12, 1.5, "t", '{"a": [1]}', "2024-02-29 12:00:00.5+00", '\x00ff']
    intact = insert(10, *row)
    random = Random.new(3)
    intact.bytesize.times do |place|
      damaged = intact.dup
      damaged.setbyte(place, random.rand(256))
      item = Cdc::Message.new(damaged.force_encoding(Encoding::UTF_8), damaged.start_with?("T") ? [] : 0, 7, 0)
      decode = Cdc::DecodeChange.new(described(columns))
      result = begin
        within(5) { decode.call(item) }
      rescue StandardError => e
        e
      end
      assert_includes [Cdc::Change, Cdc::MalformedMessage], result.class, "byte #{place} of #{damaged.inspect}"
    end
  end

  def test_what_cannot_be_decoded_is_not_counted
    assert_raises(Cdc::MalformedMessage) { decode(insert(10, "x", "")) }

    assert_equal [{}, 0, 0], [@totals.to_h, @totals.changes, @totals.bytes]
  end

  def test_a_malformed_message_is_a_failure_in_its_place_and_its_neighbours_are_well
    recording = Cdc::Recording.parse(stream(*transaction(table, insert(10, 1, "a"), insert(10, "one", "b"),
                                                         "Zzz", insert(10, 3, "c"), insert(10, 4, "d"))))
    results = within(30) do
      Ratomic::Workers.dispatch_async(recording.items, Cdc::DecodeChange.new(recording.relations)).value(timeout: 20)
    end

    assert_equal([1, 3, 4], results.values_at(0, 2, 3).map { |change| change["id"] })
    assert_equal [1, "Cdc::MalformedMessage"], [results[1].index, results[1].exception_class]
    assert_match(/\Ano integer in public.notes.id \(message at byte \d+\)\z/, results[1].message)
    assert_match(/\Aunknown message type 0x5a \(message at byte \d+\): 4 bytes lost/, recording.losses.first.to_s)
  end

  def test_it_works_in_a_ractor
    skip_without_ractors
    recording = Cdc::Recording.parse(stream(*transaction(table, insert(10, 1, "a"))))
    decode = Cdc::DecodeChange.new(recording.relations)
    change = within(10) { in_ractor(decode, recording.items) { |callable, items| callable.call(items.first) } }

    assert_equal decode.call(recording.items.first), change
    assert_equal 2, decode.totals.changes
  end

  private

  def binary(text)
    Pgoutput::Binary.new(text)
  end

  def table
    relation(10, "notes", { "id" => :int8, "text" => :text })
  end

  def described(columns)
    relations = Ratomic::Map.new
    relations[0] = Cdc::Relation.parse(relation(10, "notes", columns))
    relations
  end

  def decode(message, **columns)
    description = columns.empty? ? table : relation(10, "notes", columns.transform_keys(&:to_s))
    decode_all(description, message).first
  end

  def decode_all(*messages)
    recording = Cdc::Recording.parse(stream(*transaction(*messages)))
    @totals = Cdc::Totals.new
    decode = Cdc::DecodeChange.new(recording.relations, @totals)
    recording.items.map { |item| decode.call(item) }
  end
end
