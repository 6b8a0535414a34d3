# frozen_string_literal: true

require "test_helper"
require "support/engine_room"

class OpenShareTest < Minitest::Test
  include EngineRoom

  Workers = Ratomic::Workers

  def setup
    @mailbox = Workers::Mailbox::QueueMailbox.new
    @engine = Workers::Engine.new(Workers::Settings.new(size: 2, backend: :thread), @mailbox)
    @batch = batch([1, 2, 3, 4], results: :owned)
    @open_share = Workers::OpenShare.new(@engine, @worker_status = Workers::WorkerStatus.new(7))
  end

  # @return [OwnedResults] of its share of the batch, with these results
  def pack(*results)
    @open_share.hold(chunk = Workers::OwnedChunk.new(@batch, Double, 0, results.size, 1))
    chunk.results.concat(results)
    chunk.seal
    @engine.homes[7]
  end

  def test_the_pool_knows_what_the_worker_is_making
    assert_empty @open_share
    home = pack("a")
    refute_empty @open_share
    assert_instance_of Workers::OwnedResults, home
    assert_same home, pack("b")
    frozen = Workers::Chunk.new(batch([1]), Double, 0, 1, 1)
    assert_same frozen, Workers::OpenShare.new(@engine, @worker_status).hold(frozen)
  end

  def test_the_worker_keeps_the_batch_and_others_are_let_in_once
    kept = []
    3.times { @open_share.put_back(@batch, kept) }
    assert_equal [@batch] * 3, kept
    assert_equal 1, @engine.run_queue.size
    @open_share.put_back(batch([1], results: :owned, sequential: true), kept)
    assert_equal 1, @engine.run_queue.size
    @engine.run_queue.close
    @open_share.put_back(batch([1], results: :owned), kept)
    assert_equal 5, kept.size
  end

  def test_the_worker_goes_on_while_something_of_the_batch_is_left
    assert @open_share.open?([])
    pack("a")
    assert @open_share.open?([@batch])
    refute @open_share.open?([])
    refute @open_share.open?([batch([5], results: :owned)])
    @batch.claim(4)
    refute @open_share.open?(kept = [@batch])
    assert_empty kept
    rest = @batch.part(2, 4)
    assert @open_share.open?(kept = [@batch, rest])
    assert_equal [rest], kept
  end

  def test_it_goes_home_after_a_while_and_sooner_when_others_wait
    pack("a")
    @worker_status.end_chunk(Workers::Share::MAX_SHARE_CONTENDED_NS)
    assert @open_share.open?([@batch])
    @engine.run_queue.try_push(batch([1]))
    refute @open_share.open?([@batch])
    @engine.run_queue.try_pop
    @worker_status.end_chunk(Workers::Share::MAX_SHARE_NS)
    refute @open_share.open?([@batch])
  end

  def test_small_results_are_sent_ahead_and_the_worker_stays
    home = pack("a")
    assert @open_share.close([])
    assert_nil @engine.homes[7]
    assert_equal({ 0 => ["a"] }, home.take)
    assert_empty @open_share
    assert_nil @open_share.leave
  end

  def test_with_more_the_worker_goes_home_and_leaves_the_rest_to_others
    pack("a")
    @worker_status.end_chunk(Workers::Share::MIN_SHARE_NS)
    refute @open_share.close(kept = [@batch])
    assert_empty kept
    assert_equal 1, @engine.run_queue.size
    assert_equal({ 0 => ["a"] }, @open_share.leave)
  end

  def test_results_that_cannot_be_copied_go_home_even_if_they_are_few
    home = pack("a", Thread::Mutex.new)
    refute @open_share.close([])
    @open_share.save
    assert_equal({ 0 => ["a"] }, home.take)
  end

  def test_it_is_recalled_by_the_dispatch_it_belongs_to
    @open_share.recall(@batch.ticket)
    home = pack("a")
    @open_share.recall(@batch.ticket + 1)
    refute_predicate home, :arrived?
    @open_share.recall(@batch.ticket)
    assert_predicate home, :arrived?
    assert @open_share.close([])
  end
end
