# frozen_string_literal: true

require "test_helper"

class LocalPoolRactorPoolsTest < Minitest::Test
  module Make
    def self.call
      Object.new
    end
  end

  def setup
    @ractor_pools = Ratomic::LocalPool::RactorPools.here
  end

  def ractor_pool
    Ratomic::LocalPool::RactorPool.new(1, Make, nil)
  end

  def test_a_ractor_has_one_part_of_a_pool
    pool = Ratomic::LocalPool.new(size: 1, factory: Make)
    ractor_pools = Array.new(4) { Thread.new { @ractor_pools.of(pool) { ractor_pool } } }.map(&:value)
    assert_equal 1, ractor_pools.uniq.size
    refute_same ractor_pools[0], @ractor_pools.of(Ratomic::LocalPool.new(size: 1, factory: Make)) { ractor_pool }
    assert_same @ractor_pools, Ratomic::LocalPool::RactorPools.here
  end

  # Ruby 3.1 crashed when all of them had one value in a WeakMap.
  def test_compactions_find_all_parts_of_many_pools
    out = ruby!(<<~'RUBY', seconds: 120)
      require "ratomic"
      module Make
        def self.call = []
      end
      pools = Array.new(70) { Ratomic::LocalPool.new(size: 1, factory: Make) }
      pools.each { |pool| pool.with { |list| list << 1 } && (GC.compact if GC.respond_to?(:compact)) }
      puts pools.sum { |pool| pool.with(&:size) }
    RUBY
    assert_equal "70", out.strip
  end

  def test_a_finalizer_that_meets_the_lock_taken_leaves_it
    @ractor_pools.instance_variable_get(:@lock).synchronize { assert_nil @ractor_pools.tidy }
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
