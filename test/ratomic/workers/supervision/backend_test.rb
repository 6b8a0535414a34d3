# frozen_string_literal: true

require "test_helper"
require "support/interruption"

# Pools that are started in another Ractor than the main one: their coordinators have Ractors of their own.
class BackendTest < Minitest::Test
  include Interruption

  # In front of Coordinator.new, where it raises as often as is noted here.
  module Failing
    LEFT = Ratomic::Map.new

    def new(...)
      LEFT.delete(:error)&.then { |error| raise error, "no coordinator" }
      super
    end
  end
  Ratomic::Workers::Coordinator.singleton_class.prepend(Failing)

  def setup
    skip_without_ractors
  end

  def test_a_coordinator_that_cannot_be_made_is_an_error_and_leaves_nothing
    assert_leaves_nothing do
      in_ractor do
        [ThreadError, NoMemoryError, SystemStackError].each do |error|
          Failing::LEFT[:error] = error
          pool = Ratomic::Workers::Pool.new(size: 1)
          begin
            pool.start
            raise "it has started"
          rescue ThreadError => e
            raise e.message unless e.message == "the Ractor of the pool's coordinator could not start: " \
                                                "#{error}: no coordinator"
          end
          raise "it does not start later" unless pool.map([1], Ractor.shareable_proc { |item| item + 1 }) == [2]

          pool.kill
        end
      end
    end
  end

  def test_an_interrupt_at_any_point_leaves_no_coordinator
    skip_without_ractors
    assert_leaves_nothing(20) do
      in_ractor(self.class) do |test|
        settings = Ratomic::Workers::Settings.new(size: 1, backend: :thread)
        start = lambda do
          engine = nil
          Ratomic::Workers::Interrupts.deferred do
            Ratomic::Workers::Backend.coordinate(settings) { |made| engine = made }.kill
          end
        end
        ended = test.new("in a Ractor").send(:interrupt_everywhere, :raise, start) { nil }
        raise "only #{ended} points" unless ended > 5
      end
    end
  end
end
