# frozen_string_literal: true

require "test_helper"
require "support/engine_room"

class TurnsTest < Minitest::Test
  include EngineRoom

  def test_what_was_begun_has_its_turn_after_what_waited_before_it
    lane = Ratomic::Workers::Lane.new(10, 1)
    batches = Array.new(3) { filler.tap { |made| lane.try_push(made) } }
    turns = Ratomic::Workers::Turns.new(lane)
    taken = Array.new(7) { turns.next.tap { |batch| lane.put_back(batch) } }
    assert_equal (batches * 3).first(7), taken
    3.times { turns.next }
    assert_nil turns.next
  end
end
