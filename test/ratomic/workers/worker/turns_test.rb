# frozen_string_literal: true

require "test_helper"
require "support/engine_room"

class TurnsTest < Minitest::Test
  include EngineRoom

  def test_what_was_begun_and_what_waits_have_their_turns
    lane = Ratomic::Workers::Lane.new(10, 1)
    batches = Array.new(3) { filler.tap { |made| lane.try_push(made) } }
    turns = Ratomic::Workers::Turns.new(lane)
    taken = Array.new(12) { turns.next.tap { |batch| lane.put_back(batch) } }
    assert_equal batches.first(2), taken.first(2)
    assert_operator batches.map { |batch| taken.count(batch) }.min, :>=, 3
    3.times { assert turns.next }
    assert_nil turns.next
  end
end
