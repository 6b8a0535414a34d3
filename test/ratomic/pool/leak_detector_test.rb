# frozen_string_literal: true

require "test_helper"

class PoolRegisterTest < Minitest::Test
  # Remembers which loans were reported as lost.
  class RactorClient
    attr_reader :lost

    def initialize
      @lost = []
    end

    def lose(loan)
      @lost << loan.number
    end
  end

  def setup
    skip_without_ractors
    @desk = RactorClient.new
    @register = Ratomic::Pool::LeakDetector.new(@desk)
  end

  def teardown
    @register&.stop
  end

  def add(number, object)
    @register.add(Ratomic::Pool::Lease.new(number, object))
  end

  def test_what_was_added_can_be_removed_once
    object = add(1, [])
    loan = @register.remove(object)
    assert_equal 1, loan.number
    assert_same object, loan.object
    assert_raises(Ratomic::OwnershipError) { @register.remove(object) }
    assert_raises(Ratomic::OwnershipError) { @register.remove([]) }
  end

  def test_equal_objects_are_told_apart
    objects = Array.new(3) { |number| add(number, []) }
    assert_equal [2, 0, 1], [2, 0, 1].map { |i| @register.remove(objects[i]).number }
  end

  def test_a_dropped_object_is_reported_once_and_a_kept_one_never
    kept = add(0, [])
    Thread.new { 1.upto(20) { |number| add(number, []) } }.join
    eventually(10, "lost objects (#{@desk.lost})") { @desk.lost.size >= 19 }
    refute_includes @desk.lost, 0
    assert_equal @desk.lost.uniq, @desk.lost
    assert_equal 0, @register.remove(kept).number
  end

  def test_its_thread_ends_when_nothing_is_lent
    before = Thread.list.size
    5.times { |number| @register.remove(add(number, [])) }
    eventually(5) { Thread.list.size <= before }
  end

  def test_stop_ends_its_thread_at_once
    others = Thread.list # which may have those of other registers
    object = add(1, [])
    thread = (Thread.list - others).find { |one| one.name == "ratomic-pool-register" }
    within(5) { @register.stop }
    refute thread.alive?
    assert_equal 1, @register.remove(object).number
  end
end
