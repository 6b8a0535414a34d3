# frozen_string_literal: true

require "test_helper"

class LocalPoolRactorStacksTest < Minitest::Test
  module Make
    def self.call
      Object.new
    end
  end

  def setup
    @stacks = Ratomic::LocalPool::RactorStacks.here
  end

  def stack
    Ratomic::LocalPool::ResourceStack.new(1, Make, nil)
  end

  # The stacks that several threads get.
  def stacks_of(pool)
    Array.new(4) { Thread.new { @stacks.of(pool) { stack } } }.map(&:value)
  end

  def test_a_ractor_has_one_stack_of_a_pool
    pool = Ratomic::LocalPool.new(size: 1, factory: Make)
    stacks = stacks_of(pool)
    assert_equal 1, stacks.uniq.size
    refute_same stacks[0], @stacks.of(Ratomic::LocalPool.new(size: 1, factory: Make)) { stack }
    assert_same @stacks, Ratomic::LocalPool::RactorStacks.here
  end

  def test_a_child_gets_another_one_for_all_its_threads
    pool = Ratomic::LocalPool.new(size: 1, factory: Make)
    before = @stacks.of(pool) { stack }
    reader, writer = IO.pipe
    child = fork do
      stacks = stacks_of(pool)
      writer.print([stacks.uniq.size, stacks.first.equal?(before)].inspect)
      exit!(0)
    end
    writer.close
    within(10) { Process.wait(child) }
    assert_equal "[1, false]", reader.read
    assert_same before, @stacks.of(pool) { flunk }
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
    @stacks.instance_variable_get(:@lock).synchronize { assert_nil @stacks.tidy }
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
