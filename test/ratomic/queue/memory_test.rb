# frozen_string_literal: true

require "test_helper"

# What a Queue takes, and that the collector knows of it.
class QueueMemoryTest < Minitest::Test
  MANY = 1 << 17

  def test_the_collector_is_told_of_what_a_queue_takes_and_gives_back
    ruby!(<<~RUBY)
      require "ratomic"
      def known = GC.stat(:malloc_increase_bytes)
      queue = Ratomic::Queue.new(#{MANY})
      GC.start
      GC.disable
      before = known
      #{MANY}.times { |number| queue << number }
      full = known
      abort "told of \#{full - before} bytes" unless full - before >= (#{MANY} - 2048) * 8
      queue.clear
      abort "\#{full - known} bytes less after clear" unless full - known >= (#{MANY} - 2048) * 8
      7.times { |number| queue << number }
      abort "lost" unless Array.new(7) { queue.pop } == [*0..6] && queue.empty?
    RUBY
  end

  # They piled up, because the collector knew of a few words for each.
  def test_full_queues_that_are_dropped_do_not_pile_up
    out = ruby!(<<~RUBY, seconds: 60)
      require "ratomic"
      alive = 0
      40.times do
        queue = Ratomic::Queue.new(#{MANY})
        #{MANY}.times { queue << nil }
        alive = [alive, ObjectSpace.each_object(Ratomic::Queue).count].max
      end
      p alive
    RUBY
    assert_operator out.to_i, :<, 35, "most of them were collected on the way"
  end

  # A small one was not counted at all, and thousands waited for a collection.
  def test_the_collector_is_told_of_small_queues_too
    ruby!(<<~RUBY)
      require "ratomic"
      def known = GC.stat(:malloc_increase_bytes)
      GC.start
      GC.disable
      before = known
      queues = Array.new(500) { Ratomic::Queue.new(1) }
      told = known - before
      abort "told of \#{told} bytes for 500 queues" unless told >= 500 * 4096
      abort "lost" unless queues.all?(&:empty?)
    RUBY
  end

  def test_a_queue_that_was_cleared_takes_what_an_empty_one_takes
    require "objspace"
    queue = Ratomic::Queue.new(MANY)
    empty = ObjectSpace.memsize_of(queue)
    MANY.times { |number| queue << number }
    assert_operator ObjectSpace.memsize_of(queue), :>, MANY * 8
    queue.clear
    assert_equal empty, ObjectSpace.memsize_of(queue)
  end
end
