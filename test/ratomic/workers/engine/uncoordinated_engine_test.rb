# frozen_string_literal: true

require "test_helper"

class UncoordinatedEngineTest < Minitest::Test
  def setup
    @engine = Ratomic::Workers::UncoordinatedEngine.new(Ratomic::Workers::Settings.new(backend: :inline))
  end

  def test_it_ends_when_it_is_closed_and_all_is_done
    @engine.accepted.increment(2)
    @engine.close
    @engine.post(Ratomic::Workers::Engine::WIND_UP)
    refute_predicate @engine, :ended?
    @engine.finished.increment(2)
    2.times { @engine.post(Ratomic::Workers::Engine::WIND_UP) }
    assert_predicate @engine, :ended?
    assert_predicate @engine.terminated, :complete?
  end

  def test_while_it_is_open_nothing_ends_it
    @engine.post(Ratomic::Workers::Engine::WIND_UP)
    refute_predicate @engine, :ended?
    @engine.kill
    assert_predicate @engine, :ended?
  end
end
