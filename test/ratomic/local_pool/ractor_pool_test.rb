# frozen_string_literal: true

require "test_helper"

class LocalPoolRoomTest < Minitest::Test
  def room
    Ratomic::LocalPool::RactorPool.new(1, -> { Object.new }, nil)
  end

  def test_a_process_keeps_its_stock
    here = room
    assert_same here.stock, here.stock
  end

  def test_a_child_gets_another_one_for_all_its_threads
    here = room
    before = here.stock
    reader, writer = IO.pipe
    child = fork do
      stocks = Array.new(4) { Thread.new { here.stock } }.map(&:value)
      writer.print([stocks.uniq.size, stocks.first.equal?(before)].inspect)
      exit!(0)
    end
    writer.close
    within(10) { Process.wait(child) }
    assert_equal "[1, false]", reader.read
    assert_same before, here.stock
  end
end
