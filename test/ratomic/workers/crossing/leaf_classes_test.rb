# frozen_string_literal: true

require "test_helper"
require "date"

class LeafClassesTest < Minitest::Test
  Sharing = Ratomic::Workers::Sharing
  LeafClasses = Ratomic::Workers::LeafClasses

  def setup
    LeafClasses.learn
  end

  def leaves
    [Time.now, Date.today, DateTime.now, { "at" => [Time.now, Date.today] }]
  end

  def test_the_native_walk_knows_times_and_dates
    leaves.each { |leaf| assert Sharing.ordinary?(leaf), leaf.inspect }
    LeafClasses.learn
    assert Sharing.ordinary?(leaves)
  end

  # Anything may be in those.
  def test_subclasses_singletons_and_other_native_objects_are_not_leaves
    time = Time.now
    def time.zone = "mine"
    [time, Class.new(Time).now, ObjectSpace::WeakMap.new, Thread::Mutex.new].each do |object|
      refute Sharing.ordinary?(object), object.class.inspect
    end
  end

  def test_instance_variables_of_leaves_are_looked_at
    time = Time.now
    time.instance_variable_set(:@io, $stdout)
    refute Sharing.ordinary?([time])
    found = Ratomic::Workers::UnshareablePart.forbidden([time])
    assert_equal ["[0].@io", $stdout], [found.path, found.object]
  end

  def test_results_with_them_are_frozen_where_they_stand_and_items_are_copied
    results = leaves
    sealed = Ratomic::Workers::ResultFreezer.seal(results, 0)
    assert Ractor.shareable?(sealed) if Ratomic::RACTORS
    assert(sealed.zip(leaves).all? { |result, leaf| result.frozen? && result.instance_of?(leaf.class) })
    items = leaves
    packed = Ratomic::Workers::Transfer.pack(items)
    assert_equal items, packed
    assert packed.all?(&:frozen?)
    refute items.any?(&:frozen?)
  end

  def test_in_another_ractor_nothing_is_learnt
    skip_without_ractors
    assert_nil Ractor.new { Ratomic::Workers::LeafClasses.learn }.value
    assert Sharing.ordinary?(Time.now)
  end

  # A program may have a class of that name, or load the library later: nothing is loaded by asking.
  def test_a_constant_that_is_not_loaded_yet_is_left_alone
    assert_equal "[2026]\n", ruby!(<<~RUBY)
      autoload :BigDecimal, "/no/such/file"
      Date = Struct.new(:year)
      require "ratomic"
      module Year
        def self.call(date) = date.year
      end
      pool = Ratomic::Workers::Pool.new(size: 1)
      p pool.dispatch_async([Date.new(2026)], Year).value
      pool.shutdown
    RUBY
  end
end
