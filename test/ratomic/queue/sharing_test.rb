# frozen_string_literal: true

require "test_helper"

# What becomes of an object that is pushed. What a Map stores goes the same way.
class QueueSharingTest < Minitest::Test
  def setup
    @queue = Ratomic::Queue.new(8)
  end

  def test_what_is_shareable_comes_out_as_the_same_object
    items = ["text", 10**30, [1, [2]], Module, Ratomic::Counter.new, 1.5, :"a dynamic #{rand} symbol"]
    items.each do |item|
      Ractor.make_shareable(item)
      assert_same item, @queue.push(item).pop
    end
  end

  def test_a_mutable_item_comes_out_as_a_frozen_deep_copy_and_stays_as_it_was
    inner = +"inner"
    item = { list: [inner] }
    copy = @queue.push(item).pop
    assert_equal item, copy
    assert Ractor.shareable?(copy)
    refute_predicate item, :frozen?
    refute_predicate inner, :frozen?
    inner << " changed"
    assert_equal({ list: ["inner"] }, copy)
  end

  def test_a_mutable_string_a_list_and_a_table_are_read_in_another_ractor
    skip_without_ractors
    items = [+"text", [+"a", 1], { +"key" => [+"value"] }]
    items.each { |item| @queue << item }
    seen = in_ractor(@queue) { |queue| Array.new(3) { queue.pop.then { |item| [item.inspect, item.frozen?] } } }
    assert_equal(items.map { |item| [item.inspect, true] }, seen)
    refute(items.any?(&:frozen?))
  end

  def test_what_cannot_be_shared_raises_naming_its_class_and_is_not_pushed
    captured = +"mutable"
    unshareable.merge(proc { captured } => "Proc").each do |item, name|
      error = assert_raises(Ratomic::ShareableError, name) { @queue.push(item) }
      assert_includes error.message, name
      assert_raises(Ratomic::ShareableError) { @queue << [item] }
      assert_raises(Ratomic::ShareableError) { @queue.try_push({ key: item }) }
    end
    assert_predicate @queue, :empty?
  end

  def test_an_error_while_an_item_is_copied_is_raised_and_nothing_is_pushed
    skip_unless_copies_are_initialized
    item = Class.new { def initialize_copy(_other) = raise("no copies of me") }.new
    error = assert_raises(Ratomic::ShareableError, RuntimeError) { @queue << item }
    assert_includes error.message, "no copies of me"
    assert_predicate @queue, :empty?
  end

  def test_an_item_whose_copying_uses_the_queue_is_no_deadlock
    skip_unless_copies_are_initialized
    queue = @queue
    item = Class.new { define_method(:initialize_copy) { |_other| queue.push(:from_inside) } }.new
    within(5) { queue.push(item) }
    assert_equal :from_inside, queue.pop
    assert_equal item.class, queue.pop.class
  end

  # What is looked up for that must not belong to the Ractor that needs it first: it would move after that has ended.
  def test_the_ractor_that_pushed_the_first_object_may_end
    skip_without_ractors
    assert_equal "20 objects", ruby!(<<~'RUBY')
      require "ratomic"
      queue = Ratomic::Queue.new(30)
      Ractor.new(queue) { |shared| shared.push([Object.new]) && shared.pop }.join
      20.times do
        GC.start
        begin
          GC.compact
        rescue NotImplementedError
        end
        200.times { Class.new }
        queue.push([Object.new, Struct.new(:name).new(Object.new)])
      end
      print queue.size, " objects"
    RUBY
  end

  private

  def unshareable
    { $stdout => "IO", Thread.current => "Thread", Thread::Mutex.new => "Mutex", method(:puts) => "Method",
      binding => "Binding", Thread::Queue.new => "Queue", Enumerator.new { nil } => "Enumerator",
      Fiber.new { nil } => "Fiber", ObjectSpace::WeakMap.new => "WeakMap" }
  end
end
