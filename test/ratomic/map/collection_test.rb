# frozen_string_literal: true

require "test_helper"

# What a collector does with what a Map, a Queue or a Completion holds: keeps it, moves it, and drops what was removed.
class MapCollectionTest < Minitest::Test
  COUNT = 2_000

  def test_what_is_stored_survives_collections_and_compaction
    holders = fill
    3.times do
      GC.start
      GC.start(full_mark: false)
      compact
      Array.new(COUNT) { |number| "garbage #{number}" }
    end
    assert_full(*holders)
  end

  def test_young_objects_in_an_old_holder_survive_minor_collections
    map, queue, completion = holders = [Ratomic::Map.new, Ratomic::Queue.new(COUNT),
                                        Ratomic::Workers::Completion.new(COUNT)]
    4.times { GC.start } # now the holders are old
    COUNT.times do |number|
      store(number, *holders)
      GC.start(full_mark: false) if (number % 100).zero?
    end
    GC.start(full_mark: false)
    assert_full(map, queue, completion)
  end

  def test_reading_and_writing_under_gc_stress
    map = Ratomic::Map.new
    queue = Ratomic::Queue.new(8)
    within(120) do
      GC.stress = true
      10.times do |number|
        map["key #{number}"] = ["value #{number}"]
        map.compute("key #{number}") { |value| value + ["computed"] }
        map.append("list #{number % 2}", "element #{number}")
        map.increment("sum", 1.25e200)
        queue << "item #{number}"
        assert_equal "item #{number}", queue.pop
        assert_equal ["value #{number}", "computed"], map["key #{number}"]
      end
      assert_equal 13, map.to_h.size
    ensure
      GC.stress = false
    end
  end

  def test_objects_that_compaction_has_moved_are_found
    skip "this Ruby cannot compact" unless moving?
    holders = fill
    moved = GC.verify_compaction_references(**verification)
    refute_nil moved
    assert_full(*holders)
  end

  # Its parts would not be where it looks for them.
  def test_a_compaction_during_initialization_is_harmless
    skip "this Ruby cannot compact" unless moving?
    ruby!(<<~'RUBY', seconds: 60)
      require "ratomic"
      GC.auto_compact = true
      maps = Array.new(10) do
        holes = Array.new(3000) { Object.new }
        GC.stress = true
        map = Ratomic::Map.new
        GC.stress = false
        holes.clear
        20.times { |number| map["key #{number}"] = "value #{number}" }
        map
      end
      GC.start
      abort "lost" unless maps.all? { |map| map.to_h.size == 20 && map["key 7"] == "value 7" }
    RUBY
  end

  def test_verification_of_the_heap_finds_no_error
    skip "this Ruby cannot verify its heap" unless GC.respond_to?(:verify_internal_consistency)
    holders = fill
    GC.verify_internal_consistency
    assert_full(*holders)
    GC.start
    GC.verify_internal_consistency
  end

  def test_objects_that_were_dropped_are_collected
    map = Ratomic::Map.new
    queue = Ratomic::Queue.new(COUNT)
    gone = track do |number, object|
      map[number] = object
      map[[object]] = number
      queue << object
    end
    2.times { GC.start }
    assert_equal 0, gone.read, "all are held"
    map.clear
    queue.clear
    assert_mostly_gone(gone)
    assert_equal [0, 0], [map.size, queue.size]
  end

  def test_objects_that_were_replaced_deleted_or_popped_are_collected
    map = Ratomic::Map.new
    queue = Ratomic::Queue.new(COUNT)
    gone = track do |number, object|
      map[number] = object
      queue << object
    end
    # On a stack of its own, which is gone afterwards with the Array that pop_many left there.
    Thread.new do
      COUNT.times { |number| number.even? ? map.delete(number) : map[number] = nil }
      queue.pop_many(COUNT).clear
    end.join
    assert_mostly_gone(gone)
  end

  def test_a_dropped_structure_is_collected_with_its_contents
    gone = Thread.new { fill_and_drop }.value # a stack of its own, which is gone afterwards
    assert_mostly_gone(gone)
  end

  def test_memsize_and_the_walk_over_references_work
    require "objspace"
    map, queue, completion = fill
    [map, queue, completion].each do |holder|
      assert_operator memory_of(holder), :>, COUNT * 8
      strings = reachable_from(holder).grep(String)
      assert_operator strings.size, :>=, COUNT
      assert(strings.all?(&:frozen?))
    end
  end

  def test_the_walk_over_references_while_another_ractor_writes_is_harmless
    skip_without_ractors
    ruby!(<<~'RUBY', seconds: 90)
      require "ratomic"
      require "objspace"
      map = Ratomic::Map.new
      queue = Ratomic::Queue.new(1_000)
      done = Ratomic::Counter.new
      writer = Ractor.new(map, queue, done) do |shared, line, ending|
        20.times do
          5_000.times do |number|
            shared[number] = "value #{number}"
            line.try_push("item #{number}") || line.clear
          end
          shared.clear
        end
        ending.increment
      end
      while done.zero?
        ObjectSpace.reachable_objects_from(map).each { |part| ObjectSpace.reachable_objects_from(part) }
        ObjectSpace.reachable_objects_from(queue)
        ObjectSpace.dump(queue)
        ObjectSpace.memsize_of(map)
        ObjectSpace.memsize_of(queue)
      end
      writer.value
    RUBY
  end

  private

  def fill
    holders = [Ratomic::Map.new, Ratomic::Queue.new(COUNT), Ratomic::Workers::Completion.new(COUNT)]
    COUNT.times { |number| store(number, *holders) }
    holders
  end

  def store(number, map, queue, completion)
    map["key #{number}"] = "value #{number}"
    queue << "item #{number}"
    completion.file(number, Ractor.make_shareable(["result #{number}"]))
  end

  def assert_full(map, queue, completion)
    numbers = Array.new(COUNT) { |number| number }
    assert(numbers.all? { |number| map["key #{number}"] == "value #{number}" })
    assert_equal numbers.map { |number| "key #{number}" }.sort, map.keys.sort
    assert(numbers.map { |number| "item #{number}" } == queue.pop_many(COUNT))
    assert(numbers.map { |number| "result #{number}" } == completion.to_a)
  end

  # Makes objects, gives each to the block, and returns a Counter of those that are gone.
  def track
    gone = Ratomic::Counter.new
    count = counting(gone)
    COUNT.times do |number|
      object = "tracked #{number}".dup
      ObjectSpace.define_finalizer(object, count)
      yield number, Ractor.make_shareable(object)
    end
    gone
  end

  # Made here because a proc keeps all that its method can see, and a finalizer keeps its proc.
  def counting(gone)
    proc { gone.increment }
  end

  def fill_and_drop
    map = Ratomic::Map.new
    queue = Ratomic::Queue.new(COUNT)
    track { |number, object| (map[number] = object) && queue << object }
  end

  # A word on the machine's stack may keep a few.
  def assert_mostly_gone(gone)
    eventually(10, "the collection of what was dropped") do
      GC.start
      gone.read > COUNT * 0.99
    end
  end

  # A map is divided into parts, which a walk meets first.
  def reachable_from(holder)
    direct = ObjectSpace.reachable_objects_from(holder)
    direct + parts_of(holder).flat_map { |part| ObjectSpace.reachable_objects_from(part) || [] }
  end

  def memory_of(holder)
    [holder, *parts_of(holder)].sum { |part| ObjectSpace.memsize_of(part) }
  end

  def parts_of(holder)
    ObjectSpace.reachable_objects_from(holder).grep_v(String).grep_v(Module)
  end

  def compact
    GC.compact if moving?
  end

  def moving?
    GC.respond_to?(:compact) && GC.respond_to?(:verify_compaction_references) && GC.compact
  rescue NotImplementedError
    false
  end

  def verification
    known = GC.method(:verify_compaction_references).parameters.map(&:last)
    known.include?(:expand_heap) ? { toward: :empty, expand_heap: true } : { toward: :empty, double_heap: true }
  end
end
