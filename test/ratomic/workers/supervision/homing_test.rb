# frozen_string_literal: true

require "test_helper"

class HomingTest < Minitest::Test
  Workers = Ratomic::Workers
  Home = Workers::Home

  # Bodies that are alive as long as they are in the list.
  Backend = Struct.new(:living) do
    def alive?(body)
      living.include?(body)
    end
  end

  def setup
    @mailbox = Workers::Mailbox::QueueMailbox.new
    @agenda = Workers::Agenda.new(@mailbox)
    @homing = Workers::Homing.new(@backend = Backend.new(%i[one two]), @agenda)
    @homes = [Home.new, Home.new]
    %i[one two].zip(@homes) { |body, home| @homing.expect(body, home, 5) }
  end

  def teardown
    @agenda.close
  end

  def test_who_has_ended_has_arrived
    refute @homing.look
    @backend.living.delete(:one)
    assert @homing.look
    assert_equal [true, false], @homes.map(&:arrived?)
    refute @homing.look
    refute_predicate @homing, :empty?
    @backend.living.clear
    assert @homing.look
    assert_predicate @homing, :empty?
  end

  def test_who_is_late_is_given_up
    @homing.give_up
    assert_equal [false, false], @homes.map(&:arrived?)
    @homing.give_up(Workers::Clock.now + 6)
    assert_equal [nil, nil], @homes.map(&:take)
    assert_predicate @homing, :empty?
  end

  def test_one_reminder_is_enough_for_all
    entries = @agenda.instance_variable_get(:@entries)
    assert_equal [:homeless], entries.map(&:what)
    @homing.expect(:three, Home.new, 1)
    assert_equal 2, @agenda.instance_variable_get(:@entries).size
  end

  def test_of_those_who_are_left_some_have_ended
    @backend.living.delete(:two)
    @homing.leave_all
    assert @homes.all?(&:arrived?)
    assert_predicate @homing, :empty?
  end
end
