# frozen_string_literal: true

require "test_helper"

class TrapTest < Minitest::Test
  def test_it_tells_a_signal_handler_from_the_rest
    refute Ratomic::Workers::Trap.here?
    assert_equal(:value, Ratomic::Workers::Trap.explain { :value })
    assert_raises(ThreadError) { Ratomic::Workers::Trap.explain { raise ThreadError } }
    out = ruby!(<<~RUBY)
      require "ratomic"
      told = Thread::Queue.new
      trap(:USR1) do
        told << Ratomic::Workers::Trap.here?
        told << Ratomic::Workers::Trap.explain { :value }
        begin
          Ratomic::Workers::Trap.explain { Mutex.new.lock }
        rescue Ratomic::Error => e
          told << e.class
        end
      end
      Process.kill(:USR1, Process.pid)
      puts Array.new(3) { told.pop }
    RUBY
    assert_equal %w[true value Ratomic::TrapError], out.lines(chomp: true)
  end
end
