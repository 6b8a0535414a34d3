# frozen_string_literal: true

require "test_helper"

class OwnedResultsTest < Minitest::Test
  Workers = Ratomic::Workers
  OwnedResults = Workers::OwnedResults

  def test_results_have_arrived_only_after_the_first_message_says_so
    home = OwnedResults.new
    refute_predicate home, :arrived?
    refute home.wait(0)
    assert home.arrive(OwnedResults::LOST)
    refute home.arrive(OwnedResults::HERE)
    assert home.wait(0)
    assert_nil home.take
    assert Ractor.shareable?(home)
  end

  def test_results_that_have_come_as_a_copy
    home = OwnedResults.new
    home.arrive(Marshal.dump({ 3 => [+"a", [1]] }).freeze)
    assert_predicate home, :copied?
    assert_equal({ 3 => ["a", [1]] }, home.take)
    refute_predicate home.take[3][0], :frozen?
  end

  def test_results_that_are_here
    home = OwnedResults.new(OwnedResults::HERE)
    Workers::LocalStore.here.keep(home, runs = { 0 => [Thread::Mutex.new] })
    refute_predicate home, :elsewhere?
    assert_same runs, home.take
    assert_nil home.take
    assert(in_ractor(home, &:elsewhere?)) if Ratomic::RACTORS
  end

  def test_results_that_are_the_value_of_a_ractor
    skip_without_ractors
    homes = Ratomic::Queue.new(1)
    ractor = Ractor.new(homes) do |queue|
      queue << home = Ratomic::Workers::OwnedResults.new
      home.leave
      { 0 => [Thread::Mutex.new] }
    end
    home = homes.pop
    assert home.wait(5)
    assert_instance_of Thread::Mutex, home.take[0][0]
    refute ractor.monitor(Ractor::Port.new)
  end

  def test_a_ractor_that_says_that_it_ends_and_does_not_is_waited_for_no_longer_than_asked
    skip_without_ractors
    homes = Ratomic::Queue.new(1)
    gate = Ratomic::Queue.new(1)
    ractor = Ractor.new(homes, gate) do |queue, way|
      queue << home = Ratomic::Workers::OwnedResults.new
      home.leave
      way.pop
      raise "no value"
    end
    home = homes.pop
    within(5) { refute home.wait(0.05) }
    capture_subprocess_io { gate.push(true) && assert(home.wait(5)) }
    assert_nil home.take
    refute ractor.monitor(Ractor::Port.new)
  end
end
