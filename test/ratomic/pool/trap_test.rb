# frozen_string_literal: true

require "test_helper"

class PoolTrapTest < Minitest::Test
  def test_it_tells_a_signal_handler_from_the_rest
    refute Ratomic::Pool::Trap.here?
    assert_equal(:value, Ratomic::Pool::Trap.told { :value })
    assert_raises(ThreadError) { Ratomic::Pool::Trap.told { raise ThreadError } }
    out = ruby!(<<~RUBY)
      require "ratomic"
      told = Thread::Queue.new
      trap(:USR1) do
        told << Ratomic::Pool::Trap.here?
        told << Ratomic::Pool::Trap.told { :value }
        begin
          Ratomic::Pool::Trap.told { Mutex.new.lock }
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
