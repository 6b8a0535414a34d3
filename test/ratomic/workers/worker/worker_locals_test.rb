# frozen_string_literal: true

require "test_helper"

class WorkerLocalsTest < Minitest::Test
  WorkerLocals = Ratomic::Workers.const_get(:WorkerLocals)

  def borrow(&block)
    WorkerLocals.borrow(&block)
  end

  def test_a_borrowed_object_is_used_by_nobody_else
    borrow { |one| borrow { |two| refute_same one, two } }
  end

  def test_it_is_used_again_also_after_an_exception
    first = borrow(&:itself)
    assert_same first, borrow(&:itself)
    assert_raises(KeyError) { borrow { raise KeyError } }
    assert_same first, borrow(&:itself)
  end

  def test_not_after_its_thread_was_ended
    used = nil
    Thread.new { borrow { |worker_locals| (used = worker_locals) && Thread.exit } }.join
    refute_same used, borrow(&:itself)
  end

  def test_a_thread_has_its_own_once_it_is_a_workers
    assert_nil WorkerLocals.here
    one, two = Array.new(2) { Thread.new { WorkerLocals.begin && WorkerLocals.here } }.map(&:value)
    refute_same one, two
  end

  def test_each_owner_has_the_object_that_was_kept_for_it
    owner = Object.new
    worker_locals = WorkerLocals.new
    assert_nil worker_locals[owner]
    worker_locals[owner] = made = [+"parser"]
    assert_same made, worker_locals[owner]
  end
end
