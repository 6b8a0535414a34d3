# frozen_string_literal: true

require "test_helper"
require "support/refusal"
require "support/shown_errors"

class PoolLeakDetectorTest < Minitest::Test
  include ShownErrors
  include Refusal

  # Remembers which leases were reported as lost.
  class RactorClient
    attr_reader :lost
    attr_writer :closed

    def initialize
      @lost = []
      @closed = false
    end

    def closed?
      @closed
    end

    def lose(lease)
      @lost << lease.number
    end
  end

  def setup
    skip_without_ractors
    @client = RactorClient.new
    @leak_detector = Ratomic::Pool::LeakDetector.new(@client)
  end

  def teardown
    @leak_detector&.stop
  end

  def add(number, object)
    @leak_detector.add(Ratomic::Pool::Lease.new(number, object))
  end

  def test_a_lease_that_was_added_can_be_removed_once
    object = add(1, [])
    lease = @leak_detector.remove(object)
    assert_equal 1, lease.number
    assert_same object, lease.object
    assert_raises(Ratomic::OwnershipError) { @leak_detector.remove(object) }
    assert_raises(Ratomic::OwnershipError) { @leak_detector.remove([]) }
  end

  def test_equal_objects_are_distinguished
    objects = Array.new(3) { |number| add(number, []) }
    assert_equal [2, 0, 1], [2, 0, 1].map { |i| @leak_detector.remove(objects[i]).number }
  end

  def test_a_dropped_object_is_reported_once_and_a_kept_one_never
    kept = add(0, [])
    Thread.new { 1.upto(20) { |number| add(number, []) } }.join
    eventually(10, "lost objects (#{@client.lost})") { @client.lost.size >= 19 }
    refute_includes @client.lost, 0
    assert_equal @client.lost.uniq, @client.lost
    assert_equal 0, @leak_detector.remove(kept).number
  end

  def test_where_no_thread_can_be_made_the_lease_keeps_its_object
    lease = Ratomic::Pool::Lease.new(1, [])
    refuse("ratomic-pool-leak-detector") { assert_raises(ThreadError) { @leak_detector.add(lease) } }
    assert_equal [], lease.object
    assert_same lease, @leak_detector.remove(@leak_detector.add(lease))
  end

  def test_an_object_that_could_not_be_lent_is_lent_to_the_next_caller
    pool = Ratomic::Pool.new(size: 1, timeout: STATE_TIMEOUT_S) { [] }
    refuse("ratomic-pool-leak-detector") { assert_raises(ThreadError) { pool.checkout } }
    assert_equal 0, pool.with(&:size)
  ensure
    pool&.close
  end

  def test_an_error_in_its_thread_is_shown
    @client.define_singleton_method(:lose) { |_lease| raise KeyError, "no such lease" }
    assert_shown(KeyError, /an error in the leak detector of a pool: KeyError: no such lease/, 20) do
      Thread.new { 1.upto(20) { |number| add(number, []) } }.join
    end
  end

  def test_its_thread_ends_when_nothing_is_lent
    before = Thread.list.size
    5.times { |number| @leak_detector.remove(add(number, [])) }
    eventually { Thread.list.size <= before }
  end

  # The thread that the block starts.
  def started
    others = Thread.list # which may have those of other detectors
    yield
    (Thread.list - others).find { |one| one.name == "ratomic-pool-leak-detector" }
  end

  def test_its_thread_ends_with_the_pool_while_something_is_lent
    object = nil
    thread = started { object = add(1, []) }
    @client.closed = true
    assert thread.join(10)
    assert_equal 1, @leak_detector.remove(object).number
  end

  def test_stop_ends_its_thread_at_once
    object = nil
    thread = started { object = add(1, []) }
    within(5) { @leak_detector.stop }
    refute thread.alive?
    assert_equal 1, @leak_detector.remove(object).number
  end
end
