# frozen_string_literal: true

require "test_helper"

class GateTest < Minitest::Test
  Gate = Ratomic::Workers::Gate

  def test_it_is_open_until_it_is_closed
    gate = Gate.new
    assert_predicate gate, :open?
    gate.close(Gate::CLOSING)
    refute_predicate gate, :open?
    assert Ractor.shareable?(gate)
  end

  def test_it_only_ever_closes_further
    gate = Gate.new
    gate.close(Gate::CLOSED)
    gate.close(Gate::CLOSING)
    assert_equal Gate::CLOSED, gate.instance_variable_get(:@state).value
  end
end
