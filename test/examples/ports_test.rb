# frozen_string_literal: true

require "test_helper"
require_relative "../../examples/ports/ports"

class PortsTest < Minitest::Test
  RUN = File.expand_path("../../examples/ports/run", __dir__)
  ROOMS = [Ports::Request, Ports::Balance, Ports::OneChannel, Ports::Supervision].freeze

  ROOMS.product([1, 3]).each do |room, workers|
    room::WAYS.each do |name, kind|
      where = "#{room}_#{name}_with_#{workers}_workers".gsub(/\W+/, "_")
      define_method("test_the_answers_of_#{where}_are_in_order_twice") do
        skip_without_ractors
        assert_leaves_nothing do
          within(30) do
            way = kind.new(workers)
            assert_equal((1..200).map { |number| number * number }, way.call([*1..200]))
            assert_equal [49, 1], way.call([7, 1])
            way.close
          end
        end
      end
    end
  end

  Ports::Supervision::WAYS.each do |name, kind|
    define_method("test_what_ends_a_worker_of_#{name.gsub(/\W+/, "_")}_is_lost_alone") do
      skip_without_ractors
      assert_leaves_nothing do
        within(30) do
          way = kind.new(2)
          assert_equal [1, nil, 9, nil, 25, 36], way.call([1, -2, 3, 0, 5, 6])
          assert_equal [nil, 4], way.call([0, 2])
          way.close
        end
      end
    end
  end

  def test_the_comparison_puts_in_what_its_patterns_say
    skip_without_ractors
    counts = Ports::Comparison::PATTERNS.keys.map { |pattern| Ports::Comparison.items(pattern, 200) }
    assert_equal([0, 0, 0, 0, 2, 0], counts.map { |items| items.count(&:negative?) })
    assert_equal([0, 0, 0, 0, 0, 1], counts.map { |items| items.count(0) })
  end

  def test_the_script_says_what_each_costs
    skip_without_ractors
    result = assert_success(run_command(RbConfig.ruby, RUN, "--items", "100", "--rounds", "1", seconds: 60))
    assert_empty result.err
    ways = Ports::Comparison::PATTERNS.each_value.sum { |room| room::WAYS.size }
    assert_equal ways, result.out.scan(/right$/).size, result.out
  end

  def test_the_script_needs_ports
    skip "has ports" if Ratomic::RACTORS
    result = run_command(RbConfig.ruby, RUN, seconds: 60)
    assert_equal 1, result.status.exitstatus
    assert_match(/needs? Ruby 4.0/, result.err)
  end
end
