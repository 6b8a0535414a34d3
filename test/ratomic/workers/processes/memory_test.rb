# frozen_string_literal: true

require "test_helper"

class ProcessMemoryTest < Minitest::Test
  # In a process of its own: what others have forked shares pages with this one, and ends when it likes.
  def test_private_memory_grows_with_what_a_process_keeps
    skip "needs /proc" unless Ratomic::Workers::Processes::Memory.own
    out = ruby!(<<~RUBY)
      require "ratomic"
      before = Ratomic::Workers::Processes::Memory.own
      kept = "x" * 40_000_000
      p [Ratomic::Workers::Processes::Memory.own - before > 30_000_000, kept.bytesize]
    RUBY
    assert_equal "[true, 40000000]", out.strip
  end
end
