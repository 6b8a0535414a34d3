# frozen_string_literal: true

require "test_helper"

class LocalPoolRoomsTest < Minitest::Test
  module Make
    def self.call
      Object.new
    end
  end

  def setup
    @rooms = Ratomic::LocalPool::RactorPools.here
  end

  def room
    Ratomic::LocalPool::RactorPool.new(1, Make, nil)
  end

  def test_a_ractor_has_one_room_for_a_pool
    pool = Ratomic::LocalPool.new(size: 1, factory: Make)
    rooms = Array.new(4) { Thread.new { @rooms.of(pool) { room } } }.map(&:value)
    assert_equal 1, rooms.uniq.size
    refute_same rooms[0], @rooms.of(Ratomic::LocalPool.new(size: 1, factory: Make)) { room }
    assert_same @rooms, Ratomic::LocalPool::RactorPools.here
  end

  def test_a_finalizer_that_meets_the_lock_taken_leaves_it
    @rooms.instance_variable_get(:@lock).synchronize { assert_nil @rooms.tidy }
  end

  # A client whose collection is noticed, as that of a database may be by its server.
  def test_a_forked_child_keeps_the_resources_of_its_parent_also_of_pools_that_are_gone
    out = ruby!(<<~'RUBY')
      require "ratomic"
      class Client
        def self.call
          ObjectSpace.define_finalizer(client = new, proc { $stdout.syswrite("collected by #{Process.pid == PARENT}\n") unless $over })
          client
        end
      end
      PARENT = Process.pid
      def use
        Thread.new { 20.times { $pools << Ratomic::LocalPool.new(size: 1, factory: Client).tap { |pool| pool.with { } } } }.join
      end
      $pools = []
      use
      child = fork do
        $pools = nil
        5.times { GC.start }
        $over = true
      end
      Process.wait(child)
      $over = true
      puts $?.success?
    RUBY
    assert_equal ["true"], out.lines(chomp: true)
  end
end
