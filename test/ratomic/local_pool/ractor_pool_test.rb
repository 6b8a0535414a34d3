# frozen_string_literal: true

require "test_helper"

class LocalPoolRactorPoolTest < Minitest::Test
  def ractor_pool
    Ratomic::LocalPool::RactorPool.new(1, -> { Object.new }, nil)
  end

  def test_a_process_keeps_its_stack
    here = ractor_pool
    assert_same here.stack, here.stack
  end

  def test_a_child_gets_another_one_for_all_its_threads
    here = ractor_pool
    before = here.stack
    reader, writer = IO.pipe
    child = fork do
      stacks = Array.new(4) { Thread.new { here.stack } }.map(&:value)
      writer.print([stacks.uniq.size, stacks.first.equal?(before)].inspect)
      exit!(0)
    end
    writer.close
    within(10) { Process.wait(child) }
    assert_equal "[1, false]", reader.read
    assert_same before, here.stack
  end
end
