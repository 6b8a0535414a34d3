# frozen_string_literal: true

require "test_helper"
require "support/mailboxes"

class MoveBufferTest < Minitest::Test
  include Mailboxes

  Workers = Ratomic::Workers

  def setup
    @move_buffer = Workers::MoveBuffer.new
    @batch = Workers::Batch.new(nil, 4, 2, Comparable, Workers::Options.new(move: true), 256)
    @port = open_mailbox
  end

  def test_a_worker_that_is_ready_gets_the_next_parcel
    @move_buffer.put(@batch.ticket, 0, [+"a", +"b"])
    @move_buffer.put(@batch.ticket, 2, [+"c", +"d"])
    2.times { @move_buffer.ready(@batch, @port) }
    assert_equal [[0, %w[a b]], [2, %w[c d]]], within(5) { Array.new(2) { @port.receive } }
  end

  def test_a_worker_that_is_early_gets_it_when_it_comes
    @move_buffer.ready(@batch, @port)
    @move_buffer.put(@batch.ticket, 0, [+"a"])
    assert_equal [0, ["a"]], within(5) { @port.receive }
  end

  def test_when_the_dispatch_is_over_there_is_nothing_to_wait_for
    @move_buffer.ready(@batch, @port)
    @move_buffer.put(@batch.ticket + 1, 0, [+"another's"])
    @move_buffer.drop(@batch.ticket)
    assert_nil within(5) { @port.receive }
    @batch.stop(Workers::PoolFailures::KILLED)
    @move_buffer.ready(@batch, @port)
    assert_nil within(5) { @port.receive }
  end

  def test_a_worker_that_has_died_keeps_no_other_waiting
    [dead_port, @port].each { |port| @move_buffer.ready(@batch, port) }
    @move_buffer.drop(@batch.ticket)
    assert_nil within(5) { @port.receive }
    @batch.stop(Workers::PoolFailures::KILLED)
    assert_nil @move_buffer.ready(@batch, dead_port)
  end

  def test_a_parcel_for_a_worker_that_has_died_is_lost_and_no_other
    @move_buffer.ready(@batch, dead_port)
    @move_buffer.put(@batch.ticket, 0, [+"a"])
    @move_buffer.put(@batch.ticket, 1, [+"b"])
    @move_buffer.put(@batch.ticket, 2, [+"c"])
    [dead_port, @port].each { |port| @move_buffer.ready(@batch, port) }
    assert_equal [2, ["c"]], within(5) { @port.receive }
  end

  def dead_port
    open_mailbox.tap(&:close)
  end

  module Show
    def self.call(item)
      item.inspect
    end
  end

  def dispatch(items)
    pool = Workers::Pool.new(size: 2)
    pool.dispatch_async(items, Show, move: true).value(timeout: 10)
  ensure
    pool.kill
  end

  def test_an_item_that_cannot_be_moved_stays_whole
    skip_without_ractors
    buffer = +"buffer"
    result, = dispatch([[buffer, Thread.current]])
    assert_match(/\[1\] \(an instance of Thread\)/, result.message)
    assert_equal "buffer", buffer
    raised = begin
      raise "raised"
    rescue StandardError => e
      e
    end
    dispatch([[buffer, raised], [[buffer], proc {}]])
    assert_equal "buffer", buffer
  end

  def test_an_item_beside_one_that_cannot_be_moved_is_moved
    skip_without_ractors
    buffer = +"buffer"
    result, refused = dispatch([buffer, [buffer, Thread.current]])
    assert_equal '"buffer"', result
    assert_kind_of Workers::Failure, refused
    assert_raises(Ractor::MovedError) { buffer.size }
  end

  def test_an_object_that_two_items_reach_is_whole_or_refused
    shapes = [->(one) { [one, one] }, ->(one) { [[one], [one]] }, ->(one) { [[one, [one]]] }]
    shapes.each do |shape|
      items = shape.call(+"buffer")
      whole = items.map(&:inspect)
      begin
        assert_equal whole, dispatch(items)
      rescue Ratomic::ShareableError => e
        assert_match(/items.* and items.* are the same String/, e.message)
        assert_equal whole, items.map(&:inspect)
      end
    end
  end

  def test_parcels_are_neither_too_many_nor_too_few
    assert_equal [0, 1, 7, 8], [0, 1, 7, 8].map { |items| Workers::MoveBuffer.number(items, 2) }
    assert_equal 9, Workers::MoveBuffer.number(100, 2)
    assert_equal 3907, Workers::MoveBuffer.number(1_000_000, 2)
  end
end
