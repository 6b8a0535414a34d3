# frozen_string_literal: true

require "test_helper"

# In processes of their own: here others allocate and collect at the same time.
class AllocationBudgetTest < Minitest::Test
  BUDGET = <<~RUBY
    require "ratomic"
    BUDGET = Ratomic::Workers::Processes::AllocationBudget
    Array.new(BUDGET::MIN_OBJECTS * 20) { Object.new } # free slots, so that no collection is due below
    GC.start
    GC.disable
    budget = BUDGET.new

    # What a check does after so many objects: how many collections it makes, how many of them are full ones, and
    # whether it leaves the collector disabled. There is no collection by chance: the collector is enabled for the check
    # only, which makes no object.
    def check(budget, objects)
      objects.times { Object.new }
      count = GC.count
      full = GC.stat(:major_gc_count)
      GC.enable
      yield if block_given?
      budget.check
      disabled = GC.disable
      [GC.count - count, GC.stat(:major_gc_count) - full, disabled]
    end
  RUBY

  # Makes Strings between which the heap has free slots, and has a worker process make as many objects as those.
  # Prints how many megabytes the process then has for itself. They are about 4 where it collects early, and 26 where it
  # fills all free slots.
  MEMORY = <<~RUBY
    require "ratomic"
    GC.disable
    KEPT = Array.new(200_000) { |n| [n.to_s, n.to_s].first }
    GC.enable

    module Make
      def self.call(objects)
        return Ratomic::Workers::Processes::Memory.own if objects.zero?

        objects.times { Object.new }
      end
    end

    pool = Ratomic::Workers::Pool.new(size: 1, backend: :process, min_batch: 0).start
    before = pool.map([0], Make)[0]
    200.times { pool.map([1_000] * 2, Make) }
    puts (pool.map([0], Make)[0] - before) / 1_000_000.0
    pool.shutdown
  RUBY

  # The same with few free slots on each of the first pages, and many on the last ones. It is about 3 where a collection
  # sweeps at once, and 17 where it sweeps lazily.
  UNEVEN_MEMORY = MEMORY.sub(/^KEPT = .*\n/, <<~RUBY).sub("GC.enable\n", <<~ENABLE)
    KEPT = Array.new(400_000) { |n| n.to_s }.each_with_index.reject { |_, n| (n % 16).zero? }.map(&:first)
  RUBY
    GC.enable
    GC.start
    Array.new(100_000) { Object.new }
  ENABLE

  def setup
    skip_without_fork
    super
  end

  def test_it_collects_when_the_budget_is_spent_and_not_before
    out = ruby!("#{BUDGET}p [1_000, BUDGET::MIN_OBJECTS, 1_000].map { |objects| check(budget, objects) }")
    assert_equal "[[0, 0, false], [1, 0, false], [0, 0, false]]", out.strip
  end

  # Each collection looks at the whole heap.
  def test_in_a_large_heap_it_collects_seldom
    out = ruby!(<<~RUBY)
      require "ratomic"
      KEPT = Array.new(Ratomic::Workers::Processes::AllocationBudget::MIN_OBJECTS * 40) { Object.new }
      #{BUDGET}p [BUDGET::MIN_OBJECTS, KEPT.size / BUDGET::LIVE_OBJECTS_PER_OBJECT + BUDGET::MIN_OBJECTS].map { |objects| check(budget, objects) }
    RUBY
    assert_equal "[[0, 0, false], [1, 0, false]]", out.strip
  end

  def test_collections_started_elsewhere_reset_the_budget
    out = ruby!("#{BUDGET}p check(budget, BUDGET::MIN_OBJECTS) { GC.start }, check(budget, 1_000)")
    assert_equal "[1, 1, false]\n[0, 0, false]", out.strip
  end

  def test_it_does_not_collect_while_the_collector_is_disabled
    out = ruby!("#{BUDGET}p check(budget, BUDGET::MIN_OBJECTS) { GC.disable }")
    assert_equal "[0, 0, true]", out.strip
  end

  def test_a_worker_process_does_not_fill_all_free_slots_of_its_parent
    processes = Ratomic::Workers::Processes
    skip "needs /proc" unless processes::Memory.own
    skip "a collection itself writes to the free slots here" unless processes::AllocationBudget::USEFUL
    own = ruby!(MEMORY, seconds: 120).to_f
    assert_operator own, :<, 12
  end

  def test_a_worker_process_does_not_fill_the_few_free_slots_of_full_pages
    processes = Ratomic::Workers::Processes
    skip "needs /proc" unless processes::Memory.own
    skip "this Ruby keeps no empty pages that the process could fill instead" if GC.respond_to?(:stat_heap)
    own = ruby!(UNEVEN_MEMORY, seconds: 120).to_f
    assert_operator own, :<, 8
  end
end
