# frozen_string_literal: true

require "test_helper"
require_relative "../../../examples/cdc/cdc"
require_relative "../support/pgoutput"

# Which rows are handed on, and when: streamed, prepared and interrupted transactions.
class CdcTransactionsTest < Minitest::Test
  include Pgoutput

  def setup
    @intake = Cdc::Intake.new
  end

  def test_a_streamed_transaction_is_handed_on_with_its_commit_and_not_before
    assert_empty ids(*block(9, table, row(1), row(2)))
    assert_equal [8], ids(*transaction(row(8), xid: 8))
    assert_empty ids(*block(9, row(3), first: false))
    assert_equal [1, 2, 3], ids(stream_commit(9))
    assert_equal 2, @intake.transactions
  end

  def test_what_an_aborted_part_did_is_left_out
    ids(*block(9, table, row(1), in_part(10, row(2)), in_part(11, row(3)), row(4)),
        stream_abort(9, 10), *block(9, in_part(12, row(5)), row(6), first: false), stream_abort(9, 12))

    assert_equal [1, 3, 4, 6], ids(stream_commit(9))
    assert_equal({ "public.notes" => 4 }, counted)
  end

  def test_an_aborted_transaction_leaves_nothing_but_the_descriptions_in_it
    ids(*block(9, table, row(1)), stream_abort(9))
    assert_equal [2], ids(*transaction(row(2), xid: 10))

    ids(*block(11, row(3)), stream_abort(11, lsn: 0x1_0000_0000)) # as with streaming 'parallel'
    assert_equal [4], ids(*transaction(row(4), xid: 12))
    assert_empty @intake.finish
  end

  def test_a_description_from_an_aborted_part_counts_on
    ids(*block(9, in_part(10, table), in_part(10, row(1)), row(2)), stream_abort(9, 10), stream_commit(9))

    assert_equal [3], ids(*transaction(row(3), xid: 11))
  end

  def test_two_streamed_transactions_at_once
    ids(*block(9, table, row(1)), *block(10, row(2)), *block(9, row(3), first: false))

    assert_equal [2], ids(stream_commit(10))
    assert_equal [1, 3], ids(stream_commit(9, lsn: lsn(11)))
  end

  def test_a_prepared_transaction_waits_for_what_becomes_of_it
    ids(*transaction(table, xid: 6))
    assert_empty ids(*prepared(7, "kept", row(1)), *prepared(8, "gone", row(2)))
    assert_empty ids(rollback_prepared(8, "gone"))
    assert_equal [3], ids(*transaction(row(3), xid: 9))
    assert_equal [1], ids(commit_prepared(7, "kept", lsn: lsn(10)))
    assert_empty @intake.notices
  end

  def test_a_streamed_transaction_may_be_prepared
    assert_empty ids(*block(9, table, row(1), in_part(10, row(2))), stream_abort(9, 10), stream_prepare(9, "g"))
    assert_equal [1], ids(commit_prepared(9, "g"))
  end

  def test_logical_messages_of_an_aborted_part_are_left_out
    ids(*block(9, in_part(10, emitted("p", "undone")), emitted("p", "done")), stream_abort(9, 10))

    assert_equal(["done"], feed(stream_commit(9)).map(&:content))
  end

  def test_what_is_begun_anew_after_a_broken_connection_counts_once
    ids(start(xid: 7), table, row(1), row(2))
    assert_equal [1, 2, 3], ids(*transaction(row(1), row(2), row(3), xid: 7))
    assert_equal({ broken_off: 1 }, @intake.notices)
    assert_equal({ "public.notes" => 3 }, counted)
  end

  def test_what_comes_again_as_a_whole_counts_once
    assert_equal [1, 2], ids(*transaction(table, row(1), xid: 7), *transaction(row(2), xid: 8))
    assert_equal [3], ids(start(xid: 9), row(3), *transaction(row(1), xid: 7), *transaction(row(2), xid: 8),
                          *transaction(row(3), xid: 9))
    assert_equal({ broken_off: 1, repeated: 2 }, @intake.notices)
  end

  def test_streamed_and_prepared_transactions_that_come_again_count_once
    all = [*block(9, table, row(1)), stream_commit(9), *prepared(10, "g", row(2)), commit_prepared(10, "g"),
           *block(11, row(3)), stream_prepare(11, "h"), commit_prepared(11, "h")]
    assert_equal [1, 2, 3], ids(*all)
    assert_empty ids(*all)
    assert_empty @intake.finish
    assert_operator @intake.notices[:repeated], :>=, 3
  end

  def test_a_streamed_transaction_that_begins_anew_drops_what_it_had
    ids(*block(9, table, row(1)), *block(9, row(2), first: false))
    assert_equal [1, 2], ids(*block(9, row(1)), *block(9, row(2), first: false), stream_commit(9))
    ids(stream_start(12), in_part(12, row(5)).bytes) # and here the connection breaks inside a block
    assert_equal [5], ids(*block(12, row(5)), stream_commit(12))
    ids(*block(13, row(6)))
    assert_equal [6], ids(*transaction(row(6), xid: 13)) # this time it was not streamed
    assert_equal({ broken_off: 3 }, @intake.notices)
  end

  def test_what_is_open_at_the_end_is_told_and_not_counted
    ids(*transaction(table, xid: 7), *block(9, row(1)), *prepared(10, "g", row(2)))
    told = @intake.finish

    assert_equal %i[still_open still_prepared], told.map(&:kind)
    assert_match(/\Atransaction 9 at byte \d+ is streamed, and neither committed nor undone/, told.first.to_s)
  end

  def test_a_stream_that_ends_inside_a_block_is_truncated
    ids(stream_start(9), in_part(9, table).bytes)
    error = assert_raises(Cdc::TruncatedStream) { @intake.finish }

    assert_match(/inside transaction 9: its stream stop is missing\z/, error.message)
  end

  def test_what_began_before_the_stream_is_told
    assert_equal [[:block_lost], [1]], told_and_ids(*block(9, table, row(1), first: false), stream_commit(9))
    assert_equal [[:prepared_before], []], told_and_ids(commit_prepared(10, "unknown"))
    assert_equal [[:begin_lost], [2]], told_and_ids(row(2), commit(xid: 11))
    assert_equal [[], []], told_and_ids(stream_abort(12), rollback_prepared(13, "unknown"))
  end

  def test_messages_that_make_no_sense_where_they_stand_are_lost
    [commit, "E", prepare(9, "g")].each do |message|
      assert_equal [Cdc::Loss], feed(message).map(&:class), message.inspect
    end
  end

  def test_open_transactions_are_in_a_file_when_the_memory_is_full
    @intake = Cdc::Intake.new(memory: 10_000)
    blocks = Array.new(50) { |turn| block(9, row(turn, "x" * 400), in_part(10, row(turn + 100)), first: turn.zero?) }
    before = files
    ids(*block(11, table, row(1000)), *blocks.flatten(1))
    assert_operator @intake.spills, :>, 1
    assert_equal before + 1, files

    assert_equal [1000], ids(stream_commit(11))
    assert_equal((0...50).to_a, ids(stream_abort(9, 10), stream_commit(9, lsn: lsn(12))))
    assert_equal before, files
  end

  def test_an_aborted_transaction_leaves_no_file
    @intake = Cdc::Intake.new(memory: 1000)
    before = files
    ids(*block(9, table, *Array.new(20) { |turn| row(turn, "x" * 400) }))
    assert_equal before + 1, files
    ids(stream_abort(9))
    assert_equal before, files
    ids(*prepared(10, "g", row(1, "x" * 2000)), start(xid: 11), row(1, "x" * 2000))
    @intake.close
    assert_equal before, files
  end

  private

  def table
    relation(10, "notes", { "id" => :int4, "text" => :text })
  end

  def row(number, text = "")
    insert(10, number, text)
  end

  def feed(*messages)
    @events = @intake.feed(stream(*messages))
  end

  # The first values of the rows that these messages complete.
  def ids(*messages)
    decode = Cdc::DecodeChange.new(@intake.relations, totals)
    feed(*messages).grep(Cdc::Run).flat_map(&:messages).map { |item| decode.call(item).row.first }
  end

  def told_and_ids(*messages)
    ids = ids(*messages)
    [@events.grep(Cdc::Notice).map(&:kind), ids]
  end

  def totals
    @totals ||= Cdc::Totals.new
  end

  def counted
    totals.to_h.transform_values { |table| table[:inserts] }
  end

  # Open files of this process that have no name any more.
  def files
    skip "no /proc here" unless File.directory?("/proc/self/fd")
    Dir.glob("/proc/self/fd/*").count { |file| File.readlink(file).match?(/ratomic-cdc-.*deleted/) rescue false } # rubocop:disable Style/RescueModifier
  end
end
