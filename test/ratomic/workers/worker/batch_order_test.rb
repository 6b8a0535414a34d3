# frozen_string_literal: true

require "test_helper"
require "support/engine_room"

class BatchOrderTest < Minitest::Test
  include EngineRoom

  def test_begun_and_waiting_batches_take_turns
    run_queue = Ratomic::Workers::RunQueue.new(10, 1)
    batches = Array.new(3) { filler.tap { |made| run_queue.try_push(made) } }
    turns = Ratomic::Workers::BatchOrder.new(run_queue)
    taken = Array.new(12) { turns.take([]).tap { |batch| run_queue.put_back(batch) } }
    assert_equal batches.first(2), taken.first(2)
    assert_operator batches.map { |batch| taken.count(batch) }.min, :>=, 3
    3.times { assert_same turns.take([]), turns.hand }
    assert_nil turns.take([])
    assert_nil turns.hand
    assert_same turns.take(kept = batches.dup), turns.hand
    assert_equal batches.drop(1), kept
  end
end
