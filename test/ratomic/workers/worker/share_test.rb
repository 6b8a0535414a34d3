# frozen_string_literal: true

require "test_helper"
require "support/engine_room"

class ShareTest < Minitest::Test
  include EngineRoom

  Workers = Ratomic::Workers
  Share = Workers::Share

  def setup
    @mailbox = Workers::Mailbox::QueueMailbox.new
    @engine = Workers::Engine.new(Workers::Settings.new(size: 2, backend: :thread), @mailbox)
    @batch = batch([1, 2, 3], results: :owned)
    @share = Share.new(@batch)
  end

  def test_the_home_stands_for_each_result_and_failures_for_themselves
    failure = Workers::Failure.new(1, "KeyError", "x")
    filed = @share.keep(0, results = [+"a", failure, Thread::Mutex.new])
    assert_equal [@share.home, failure, @share.home], filed
    assert Ractor.shareable?(filed)
    assert_same results, @share.runs[0]
    refute_predicate results[0], :frozen?
    assert_equal filed, @share.keep_again(0, filed)
  end

  # As when the worker's main thread files the results so far in the moment in which the runner keeps all of them.
  def test_a_shorter_array_of_the_same_run_does_not_take_the_place_of_a_longer_one
    @share.keep(0, ["a"])
    @share.keep(0, all = %w[a b])
    assert_equal [@share.home], @share.keep(0, ["a"])
    assert_same all, @share.runs[0]
  end

  def test_it_is_plain_when_all_of_it_is
    @share.keep(0, ["a", { k: [1, 2.0, nil, true] }])
    assert_predicate @share, :plain?
    @share.keep(2, [Thread::Mutex.new])
    refute_predicate @share, :plain?
  end

  def test_it_is_sent_ahead_only_as_a_whole
    @share.keep(0, ["a", Thread::Mutex.new])
    refute @share.send_ahead
    refute_predicate @share.home, :arrived?
    @share.save
    assert_equal({ 0 => ["a"] }, @share.home.take)
  end

  def test_beside_the_caller_results_stay_where_they_are
    share = Share.beside(@batch)
    share.keep(0, [lock = Thread::Mutex.new])
    assert_same lock, share.home.take[0][0]
  end
end
