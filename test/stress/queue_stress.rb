# frozen_string_literal: true

require "test_helper"
require "timeout"

# Conservation: what was pushed is popped once, by somebody, or is still there; and each producer's items in order.
class QueueStress < Minitest::Test
  def setup
    @reported = Thread.report_on_exception
    Thread.report_on_exception = false # of threads that are raised into, on purpose, before they run
  end

  def teardown
    Thread.report_on_exception = @reported
  end

  def test_the_same_operations_do_the_same_to_a_sized_queue
    random = seeded
    stress(40).times do
      capacity = random.rand(1..9)
      ours = Ratomic::Queue.new(capacity)
      theirs = Thread::SizedQueue.new(capacity)
      500.times { compare(ours, theirs, capacity, random) }
      assert_equal [theirs.size, theirs.closed?], [ours.size, ours.closed?]
    end
  end

  def test_threads_conserve_every_item_and_the_order_of_each_producer
    random = seeded(1)
    stress(4).times do
      queue = Ratomic::Queue.new(random.rand(1..20))
      producers = Array.new(3) { |from| Thread.new { 1_000.times { |number| queue.push([from, number].freeze) } } }
      consumers = Array.new(3) { |number| consumer(queue, number) }
      within(60) { producers.each(&:join) }
      queue.close
      assert_conserved(within(60) { consumers.map(&:value) }, 3, 1_000)
    end
  end

  def test_threads_in_ractors_conserve_every_item_while_the_heap_is_compacted
    skip_without_ractors
    random = seeded(2)
    stress(2).times do
      queue = Ratomic::Queue.new(random.rand(1..50))
      steps = Ratomic::Counter.new
      producers = Array.new(3) do |from|
        Ractor.new(queue, from, steps) { |line, me, counter| QueueStress.produce(line, me, 300) { counter.increment } }
      end
      consumers = Array.new(2) { Ractor.new(queue) { |line| QueueStress.consume(line) } }
      within(120) do
        collect_at_every_step(steps, 900)
        producers.each(&:value)
        queue.close
        assert_conserved(consumers.map(&:value), 3, 300)
      end
    end
  end

  # A thread that masks what may hit it until it blocks has the item or leaves it: nothing is in between.
  def test_kills_and_timeouts_at_every_moment_lose_nothing
    random = seeded(3)
    stress(6).times do
      queue = Ratomic::Queue.new(random.rand(1..6))
      popped = []
      pushed = []
      hit_from_outside(random) do |number|
        if number.even?
          -> { popped << queue.pop }
        else
          item = -1
          -> { queue.push([number, item += 1].freeze) && pushed << [number, item] }
        end
      end
      left = queue.pop_many(100, timeout: 0)
      assert_equal 0, queue.num_waiting, "nobody waits any more"
      assert_equal pushed.sort, (popped + left).sort
    end
  end

  # Without a mask one call's item may be in the hands of a killed thread, as with Ruby's own queues; never twice.
  def test_kills_without_a_mask_give_no_item_twice_and_cost_at_most_one_for_each_kill
    random = seeded(4)
    stress(4).times do
      queue = Ratomic::Queue.new(4)
      got = []
      producer = Thread.new { 400.times { |number| queue.push(number) } }
      kills = 0
      while producer.alive?
        victim = Thread.new { loop { got << queue.pop } }
        random.rand(50).times { Thread.pass }
        victim.kill.join
        kills += 1
      end
      got.concat(queue.pop_many(10, timeout: 0))
      assert_equal got.uniq, got
      assert_equal got.sort, got, "one consumer at a time sees them in order"
      assert_includes (400 - kills)..400, got.size
    end
  end

  def test_time_limits_at_the_moment_of_being_served_lose_nothing
    random = seeded(5)
    queue = Ratomic::Queue.new(2)
    taken = Ratomic::Queue.new(2**16)
    consumers = Array.new(3) do |number|
      limits = seeded(50 + number)
      Thread.new do
        until queue.closed? && queue.empty?
          item = queue.pop(timeout: limits.rand * 0.001)
          taken << item if item
        end
      end
    end
    count = stress(2_000)
    sent = 0
    within(120) { sent += 1 while sent < count && push_until_in(queue, sent, random) }
    queue.close
    within(30) { consumers.each(&:join) }
    assert_equal count, sent
    assert((0...count).to_a == Array.new(taken.size) { taken.pop }.sort)
  end

  def test_close_at_any_moment_drains_all_that_was_accepted
    random = seeded(6)
    stress(30).times do
      queue = Ratomic::Queue.new(random.rand(1..4))
      producers = Array.new(3) { |from| Thread.new { QueueStress.produce(queue, from, 10_000) } }
      consumers = Array.new(2) { Thread.new { QueueStress.consume(queue) } }
      random.rand(20).times { Thread.pass }
      queue.close
      accepted = within(20) { producers.sum(&:value) }
      items = within(20) { consumers.flat_map(&:value) }
      assert_equal [accepted, accepted], [items.size, items.uniq.size]
    end
  end

  def self.produce(queue, from, count)
    count.times do |number|
      queue.push([from, number].freeze)
      yield if block_given?
    rescue ClosedQueueError
      return number
    end
    count
  end

  def self.consume(queue)
    items = []
    while (item = queue.pop)
      items << item
      items.concat(queue.pop_many(3, timeout: 0)) if (items.size % 7).zero?
    end
    items
  end

  private

  def consumer(queue, number)
    Thread.new do
      items = []
      while (item = number.zero? ? queue.pop_many(5) : queue.pop)
        break if item == []

        number.zero? ? items.concat(item) : items << item
      end
      items
    end
  end

  # Each consumer saw each producer's items in the order of their pushing, and all together they saw all of them once.
  def assert_conserved(lists, producers, count)
    lists.each do |list|
      list.group_by(&:first).each_value { |items| assert(items.each_cons(2).all? { |a, b| a.last < b.last }) }
    end
    all = lists.flatten(1)
    assert((0...producers).to_a.product((0...count).to_a) == all.sort, "#{all.size} of #{producers * count} items")
  end

  # Runs five threads that repeat what the block gave them, and kills, raises into and restarts them by chance.
  def hit_from_outside(random)
    works = Array.new(5) { |number| yield number }
    threads = works.map { |work| masked(work) }
    300.times do
      place = random.rand(5)
      random.rand(4).times { Thread.pass }
      random.rand(2).zero? ? threads[place].kill : threads[place].raise(Timeout::Error)
      ended(threads[place])
      threads[place] = masked(works[place])
    end
    threads.each { |thread| ended(thread.kill) }
  end

  # A thread inherits the mask, so nothing hits it before it blocks.
  def masked(work)
    Thread.handle_interrupt(Object => :on_blocking) do
      Thread.new do
        loop(&work)
      end
    end
  end

  def ended(thread)
    within(10) { thread.join }
  rescue Timeout::Error
    refute_predicate thread, :alive?
  end

  def push_until_in(queue, item, random)
    nil until queue.push(item, timeout: random.rand * 0.001)
    true
  end

  def compare(ours, theirs, capacity, random)
    item = random.rand(1_000)
    case random.rand(8)
    when 0..2 then assert_equal(outcome { push_to(theirs, item) }, outcome { ours.try_push(item) })
    when 3 then assert_equal([theirs.empty? ? nil : theirs.pop], [ours.try_pop])
    when 4 then (theirs.closed? || !theirs.empty?) && assert_equal([theirs.pop], [ours.pop])
    when 5
      want = Array.new([random.rand(1..capacity), theirs.size].min) { theirs.pop }
      assert_equal want, ours.pop_many([want.size, 1].max, timeout: 0)
    when 6 then assert_equal [theirs.size, theirs.empty?, theirs.max], [ours.size, ours.empty?, ours.max]
    when 7
      rare = random.rand(60)
      [theirs, ours].each(&:clear) if rare < 3
      [theirs, ours].each(&:close) if rare == 3
    end
  end

  # A SizedQueue that is closed and full says that it is full.
  def push_to(sized, item)
    raise ClosedQueueError if sized.closed?

    sized.push(item, true) && true
  rescue ThreadError
    false
  end

  def outcome
    yield
  rescue ClosedQueueError
    :closed
  end
end
