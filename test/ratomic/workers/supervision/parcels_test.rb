# frozen_string_literal: true

require "test_helper"

class ParcelsTest < Minitest::Test
  Workers = Ratomic::Workers

  def setup
    @parcels = Workers::Parcels.new
    @batch = Workers::Batch.new(nil, 4, 2, Comparable, Workers::Options.new(move: true), 256)
    @port = Workers::Mailbox.open
  end

  def test_a_worker_that_is_ready_gets_the_next_parcel
    @parcels.put(@batch.ticket, 0, [+"a", +"b"])
    @parcels.put(@batch.ticket, 2, [+"c", +"d"])
    2.times { @parcels.ready(@batch, @port) }
    assert_equal [[0, %w[a b]], [2, %w[c d]]], within(5) { Array.new(2) { @port.receive } }
  end

  def test_a_worker_that_is_early_gets_it_when_it_comes
    @parcels.ready(@batch, @port)
    @parcels.put(@batch.ticket, 0, [+"a"])
    assert_equal [0, ["a"]], within(5) { @port.receive }
  end

  def test_when_the_dispatch_is_over_there_is_nothing_to_wait_for
    @parcels.ready(@batch, @port)
    @parcels.put(@batch.ticket + 1, 0, [+"another's"])
    @parcels.drop(@batch.ticket)
    assert_nil within(5) { @port.receive }
    @batch.stop(Workers::Verdict::KILLED)
    @parcels.ready(@batch, @port)
    assert_nil within(5) { @port.receive }
  end

  def test_parcels_are_neither_too_many_nor_too_few
    assert_equal [0, 1, 7, 8], [0, 1, 7, 8].map { |items| Workers::Parcels.number(items, 2) }
    assert_equal 9, Workers::Parcels.number(100, 2)
    assert_equal 3907, Workers::Parcels.number(1_000_000, 2)
  end
end
