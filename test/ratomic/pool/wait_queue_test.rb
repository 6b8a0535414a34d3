# frozen_string_literal: true

require "test_helper"

class PoolLineTest < Minitest::Test
  Waiter = Struct.new(:desk, :name)

  def setup
    @length = Ratomic::Counter.new
    @line = Ratomic::Pool::WaitQueue.new(@length)
    @tickets = Array.new(4) { |i| Waiter.new(i % 2, i) }
    @tickets.each { |ticket| @line.push(ticket) }
  end

  def test_first_come_first_served
    assert_equal @tickets, Array.new(4) { @line.shift }
    assert @line.empty?
  end

  def test_everybody_sees_how_many_wait
    assert_equal 4, @length.read
    @line.shift
    assert @line.delete(@tickets[2])
    refute @line.delete(@tickets[2])
    assert_equal 2, @length.read
    assert_equal @line.size, @length.read
  end

  def test_the_tickets_of_a_desk_leave
    assert_equal [@tickets[1], @tickets[3]], @line.leave(1)
    assert_equal 2, @length.read
    assert_equal [@tickets[0], @tickets[2]], @line.enum_for(:each).to_a
  end

  def test_equal_tickets_are_still_two
    @line.push(@tickets[0].dup)
    assert_equal 5, @line.size
  end
end
