# frozen_string_literal: true

require "test_helper"

class PoolRactorMonitorTest < Minitest::Test
  def setup
    skip_without_ractors
    @inbox = Ratomic::Queue.new(8)
    @control = Ratomic::Pool::RactorMonitor.start(@inbox)
  end

  def teardown
    @control&.send(:stop)
  end

  def test_it_tells_which_ractor_ended_how_ever_it_ended
    gates = Array.new(3) { Ratomic::Queue.new(1) }
    ractors = gates.map.with_index do |gate, number|
      Ractor.new(gate, number) do |entry, i|
        Thread.current.report_on_exception = false
        entry.pop
        raise "crash" if i == 1
      end
    end
    ractors.each_with_index { |ractor, number| @control << [number, ractor].freeze }
    [2, 1, 0].each do |number|
      gates[number].push(:go)
      assert_equal [:ractor_ended, number], @inbox.pop(timeout: 5)
    end
  end

  def test_it_tells_of_one_that_had_ended_before
    ractor = Ractor.new { nil }
    ractor.join
    @control << [9, ractor].freeze
    assert_equal [:ractor_ended, 9], @inbox.pop(timeout: 5)
  end

  # Stands for a Ractor that says its end as [ractor, :exited].
  class Newer
    def initialize(ractor)
      @ractor = ractor
      Ractor.make_shareable(self)
    end

    def monitor(port)
      port.send([@ractor, :exited].freeze)
      false
    end
  end

  def test_it_understands_the_newer_form_of_the_message
    @control << [4, Newer.new(Ractor.current)].freeze
    assert_equal [:ractor_ended, 4], @inbox.pop(timeout: 5)
  end
end
