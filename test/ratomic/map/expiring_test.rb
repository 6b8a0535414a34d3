# frozen_string_literal: true

require "test_helper"

# Values with `expires_in:`. A test waits until the moment is past by the same clock; "long" is longer than any test.
class MapExpiringTest < Minitest::Test
  SHORT = 0.02
  LONG = 3600

  def setup
    @map = Ratomic::Map.new
  end

  def expire
    till = now + SHORT + 0.005
    sleep(till - now) while now < till
  end

  def now
    Process.clock_gettime(Process::CLOCK_MONOTONIC)
  end

  WAYS = {
    set: ->(map, key, value, seconds) { map.set(key, value, expires_in: seconds) },
    put: ->(map, key, value, seconds) { map.put(key, value, expires_in: seconds) },
    compute: ->(map, key, value, seconds) { map.compute(key, expires_in: seconds) { value } },
    fetch_or_store: ->(map, key, value, seconds) { map.fetch_or_store(key, expires_in: seconds) { value } },
    put_if_absent: ->(map, key, value, seconds) { map.put_if_absent(key, value, expires_in: seconds) },
    get_and_set: ->(map, key, value, seconds) { map.get_and_set(key, value, expires_in: seconds) }
  }.freeze

  WAYS.each do |name, way|
    define_method("test_#{name}_stores_a_value_that_expires") do
      way.call(@map, :long, ["text"], LONG)
      way.call(@map, :short, ["text"], SHORT)
      expire
      assert_nil @map[:short]
      assert_equal ["text"], @map[:long]
      assert_equal({ long: ["text"] }, @map.to_h)
      way.call(@map, :short, 5, nil)
      assert_equal 5, @map[:short]
    end
  end

  def test_no_method_returns_an_expired_value
    reading = [-> { @map.fetch(:a, :none) }, -> { @map.key?(:a) }, -> { @map.values }, -> { @map.keys },
               -> { @map.each_pair.to_a }, -> { @map.values_at(:a) }, -> { @map.dig(:a, 0) }, -> { @map.any? { true } },
               -> { @map.delete(:a) { :none } }, -> { @map.fetch_and_modify(:a) { flunk } },
               -> { @map.compare_and_set(:a, [1], 2) }, -> { @map.replace_if_exists(:a, 1) }]
    found = [:none, false, [], [], [], [nil], nil, false, :none, nil, false, nil]
    reading.zip(found) do |read, expected|
      @map.set(:a, [1], expires_in: SHORT)
      expire
      expected.nil? ? assert_nil(read.call) : assert_equal(expected, read.call)
    end
  end

  def test_writes_treat_an_expired_value_as_missing
    changes = { 3 => -> { @map.increment(:a, 3) }, 2.5 => -> { @map.increment(:a, 2.5) },
                [1] => -> { @map.append(:a, 1) },
                -1 => -> { @map.decrement(:a) }, :initial => -> { @map.upsert(:a, :initial) { flunk } },
                [nil] => -> { @map.compute(:a) { |value| [value] } },
                :stored => -> { @map.fetch_or_store(:a) { :stored } },
                7 => -> { @map.compare_and_set(:a, nil, 7) }, 8 => -> { @map.update({ a: 8 }) { flunk } } }
    changes.each do |expected, change|
      @map.set(:a, 100, expires_in: SHORT)
      expire
      change.call
      expire
      assert_equal expected, @map[:a], "it has no end of its own"
    end
  end

  def test_changes_keep_the_expiry_of_a_value_and_replacements_do_not
    kept = [-> { @map.increment(:a) }, -> { @map.increment(:a, 1.5) }, -> { @map.increment(:a, 1r) },
            -> { @map.compute(:a) { 2 } }, -> { @map.upsert(:a, 1) { 2 } }, -> { @map.fetch_and_modify(:a) { 2 } },
            -> { @map.compare_and_set(:a, 1, 2) }, -> { @map.replace_if_exists(:a, 2) }]
    kept.each do |change|
      in_time(1, &change)
      expire
      assert_nil @map[:a]
    end
    [-> { @map[:a] = 2 }, -> { @map.set(:a, 2, timeout: 1) }, -> { @map.update({ a: 2 }) }].each do |change|
      @map.set(:a, 1, expires_in: SHORT)
      change.call
      expire
      assert_equal 2, @map[:a]
    end
  end

  # The block runs before the value has expired; on a machine that is too slow, it runs again with another one.
  def in_time(value)
    within(30) do
      loop do
        @map.set(:a, value, expires_in: SHORT)
        started = now
        yield
        break if now - started < SHORT / 2
      end
    end
  end

  def test_append_and_add_to_set_keep_the_expiry
    in_time(["a"]) { @map.append(:a, "b") }
    expire
    assert_nil @map[:a]
    in_time(Set["a"]) { @map.add_to_set(:a, "b") }
    expire
    assert_nil @map[:a]
  end

  def test_expires_in_counts_from_the_end_of_the_block
    @map.compute(:a, expires_in: LONG) do
      expire
      1
    end
    @map.compute(:a, expires_in: SHORT) { |value| value + 1 }
    assert_includes [2, nil], @map[:a]
    expire
    assert_nil @map[:a]
  end

  def test_which_values_of_expires_in_are_accepted
    [0, 0.0, -1, -0.5, Float::NAN].each do |wrong|
      error = assert_raises(ArgumentError, wrong.to_s) { @map.set(:a, 1, expires_in: wrong) }
      assert_match(/\Aexpires_in: must be/, error.message)
    end
    assert_raises(TypeError) { @map.set(:a, 1, expires_in: "soon") }
    assert_raises(ArgumentError) { @map.set(:a, 1, expires: 1) }
    assert_raises(ArgumentError) { @map.increment(:a, 1, expires_in: 1) }
    assert_predicate @map, :empty?
    @map.set(:a, 1, expires_in: Float::INFINITY)
    @map.set(:b, 1, expires_in: 10**30)
    @map.set(:c, 1, expires_in: nil)
    assert_equal({ a: 1, b: 1, c: 1 }, @map.to_h)
  end

  def test_more_seconds_than_the_clock_has_are_for_good
    [Float::INFINITY, 10**30, 10**18].each do |seconds|
      @map.set(:a, 1, expires_in: SHORT)
      @map.compute(:a, expires_in: seconds) { 2 }
      expire
      assert_equal 2, @map[:a]
    end
  end

  def test_a_hash_as_the_last_argument_is_not_taken_for_keywords
    assert_equal({ expires_in: 1 }, @map.set(:a, { expires_in: 1 }))
    assert_equal({ expires_in: 1 }, @map[:a])
  end

  def test_a_block_that_raises_changes_neither_the_value_nor_its_expiry
    @map.set(:a, 1, expires_in: LONG)
    assert_raises(RuntimeError) { @map.compute(:a, expires_in: SHORT) { raise "no" } }
    expire
    assert_equal 1, @map[:a]
  end

  # One value each time, never another one of a generation that is over.
  def test_one_of_many_concurrent_callers_computes_the_value
    made = Ratomic::Counter.new
    threads = Array.new(8) do
      Thread.new { @map.fetch_or_store(:a, expires_in: LONG) { Thread.pass || made.increment } }
    end
    assert_equal [1], within(10) { threads.map(&:value) }.uniq
  end

  def test_delete_if_and_update_work_on_values_that_expire
    100.times { |number| @map.set(number, "value #{number}", expires_in: LONG) }
    @map.delete_if { |number, _| number.odd? }
    assert_equal 50, @map.size
    assert_nil @map.select! { |_, value| value.start_with?("value") }
    @map.update({ 0 => "other" }) { |_, present, new| "#{present}, #{new}" }
    assert_equal "value 0, other", @map[0]
  end

  # Whoever writes with a time cleans up: of 50,000 keys that have expired a few per cent of the later ones are left.
  def test_writes_remove_expired_values
    50_000.times { |number| @map.set("key #{number}", number.to_s, expires_in: 0.000_001) }
    assert_operator @map.size, :<, 2_000
    @map.set(:stays, 1)
    @map.set(:last, 1, expires_in: LONG)
    left = @map.size
    assert_equal left - 2, @map.remove_expired
    assert_equal 2, @map.size
    assert_equal 0, @map.remove_expired
    assert_equal 0, Ratomic::Map.new.remove_expired
  end

  # A cache of 500 live entries whose keys come and go.
  def test_a_cache_stays_small_beside_values_that_do_not_expire
    live = 500
    20_000.times do |number|
      @map.set("old #{number}", "text", expires_in: 0.000_001)
      @map.set(number % live, number, expires_in: LONG)
    end
    assert_operator @map.size, :<, live * 3
    assert_equal live, @map.to_h.size
  end

  def test_values_that_expire_survive_collection_and_compaction
    GC.disable
    1000.times { |number| @map.set("key #{number}", +"value #{number}", expires_in: LONG) }
    GC.enable
    GC.start
    GC.compact if GC.respond_to?(:compact)
    1000.times { |number| assert_equal "value #{number}", @map["key #{number}"] }
    assert_equal 1000, @map.to_h.count { |key, value| value == key.sub("key", "value") }
    assert(@map.each_value.all? { |value| Ractor.shareable?(value) })
  end

  def test_values_expire_at_the_same_time_in_a_forked_child
    skip "no fork here" unless Process.respond_to?(:fork)
    @map.set(:long, 1, expires_in: LONG)
    @map.set(:short, 1, expires_in: SHORT)
    child = fork do
      expire
      exit!(@map.to_h == { long: 1 } && @map.set(:new, 2, expires_in: LONG) == 2 ? 0 : 1)
    end
    assert_predicate within(30) { Process.wait2(child) }.last, :success?
  end

  # Writers and readers in Ractors, values that expire at any moment: whoever reads gets the value of its key or none.
  def test_ractors_share_values_that_expire
    skip_without_ractors
    wrong = within(60) do
      Array.new(3) do |seed|
        Ractor.new(@map, seed) do |map, number|
          random = Random.new(number)
          Array.new(3000) do
            key = random.rand(40)
            case random.rand(6)
            when 0 then map.set(key, "v#{key}", expires_in: 0.000_1)
            when 1 then map.fetch_or_store(key, expires_in: 0.000_2) { "v#{key}" }
            when 2 then map.compute(key, expires_in: 0.000_1) { |value| value || "v#{key}" }
            when 3 then map.delete(key)
            when 4 then map.to_h.each_pair.reject { |k, value| value == "v#{k}" }.first&.last
            else map[key]
            end.then { |value| value unless value.nil? || value == "v#{key}" }
          end.compact
        end
      end.flat_map(&:value)
    end
    assert_empty wrong
  end
end
