# frozen_string_literal: true

require "test_helper"
require "set"

class MovingTest < Minitest::Test
  Moving = Ratomic::Workers::Moving
  Pair = Struct.new(:one, :two)
  FINALIZER = proc {}

  # Two instance variables, or one of them.
  class Holder
    def initialize(one, two = one)
      @one = one
      @two = two
    end
  end

  def setup
    skip_without_ractors
  end

  # Whether this Ruby moves objects correctly that are referenced twice.
  def whole?
    @whole ||= begin
      port = Ractor::Port.new
      port.send([one = +"", one], move: true)
      port.receive.then { |first, second| first.equal?(second) } ? :yes : :no
    ensure
      port.close
    end
    @whole == :yes
  end

  def twice(list)
    found = Moving.obstacle(list, "it")
    return assert_nil(found) if whole?

    found.to_s[/it\S* and it\S*/]
  end

  def test_an_object_that_is_reached_twice_is_found_with_both_paths
    skip "a move keeps it in this Ruby" if whole?
    one = +"one"
    assert_equal "it[0] and it[1]", twice([one, one])
    assert_equal "it[0][:a] and it[1][0][0]", twice([{ a: one }, [[one]]])
    assert_equal "it.one and it.two", twice(Pair.new(one, one))
    assert_equal "it.@one and it.@two", twice(Holder.new(one))
    assert_equal "it.begin and it.end", twice(Range.new(one, one))
    list = [1]
    assert_equal "it[0] and it[1]", twice([list, list])
    assert_match(/\Ait\[.*\] and it\.default\z/, twice(Hash.new(one).merge(a: one)))
    text = +"with a variable"
    text.instance_variable_set(:@list, list)
    assert_equal "it[0].@list and it[1]", twice([text, list])
    key = Holder.new(one, nil)
    assert_match(/\.@one and .* are the same String/, Moving.obstacle({ key => one }, "it").to_s)
  end

  def test_objects_that_may_be_reached_twice
    frozen = "frozen"
    cycle = [+""]
    cycle << cycle
    table = { list: [] }
    table[:list] << table
    deep = Ractor.make_shareable([["deep"]])
    [[frozen, frozen], cycle, table, [deep, deep, [deep]], [1, 1, :a, :a, nil, nil, 2**80, 1.5, 1.5e300],
     [Holder, Holder], { "a" => +"", "b" => +"" }, [Ratomic::Counter.new] * 2].each do |object|
      assert_nil Moving.obstacle(object, "it"), object.inspect
    end
  end

  def test_objects_that_cannot_be_moved_are_found
    raised = begin
      raise "raised"
    rescue StandardError => e
      e
    end
    [Thread.current, Thread::Mutex.new, proc {}, [1].each, Time.now, method(:puts), raised].each do |object|
      assert_match(/\Ait\[1\]\[:a\] is an instance of #{object.class}/,
                   Moving.obstacle([+"", { a: object }], "it").to_s)
    end
    [RuntimeError.new(+"never raised"), +"text", [[{ a: +"" }]], Pair.new(+"", [])].each do |object|
      assert_nil Moving.obstacle(object, "it")
    end
  end

  # In Ruby 4.0 a move of one ends the process. Nothing is moved here.
  def test_what_ends_the_process_is_found
    noted = Pair.new(+"", 1)
    noted.instance_variable_set(:@note, 1)
    asked = [Pair.new(+"", 1), Data.define(:text).new(+""), (+"a"..+"b")].each(&:object_id)
    finalized = [+"", [1], { a: +"" }, Holder.new(+"", 1), RuntimeError.new("never raised")]
    finalized.each { |object| ObjectSpace.define_finalizer(object, FINALIZER) }
    [noted, *asked, *finalized].each do |object|
      next assert_nil(Moving.obstacle([object], "it")) if Ratomic::HEAP_PER_RACTOR

      assert_match(/\Ait\[0\] is an instance of .* that Ruby 4.0 cannot move/, Moving.obstacle([object], "it").to_s)
      ready = Moving.prepare([object], 7)
      assert_predicate ready[0], :frozen?
      refute_same object, ready[0]
    end
    ObjectSpace.define_finalizer(reader = IO.pipe[0], FINALIZER)
    assert_equal Ratomic::HEAP_PER_RACTOR, Moving.obstacle(reader, "it").nil?
    assert_nil Moving.obstacle([Pair.new(+"", 1), Struct.new(*("a".."z").map(&:to_sym)).new(+"")], "it")
  end

  # What is found is what Ruby does.
  def test_items_of_too_many_levels_are_found_and_not_moved
    deep = 200_000.times.inject([]) { |inner, _| [inner] }
    assert_equal "object is nested too deeply", Moving.obstacle(deep, "object").to_s
    assert_nil Moving.obstacle(900.times.inject([]) { |inner, _| [inner] }, "object")
    refused = Moving.prepare([deep, "text"])
    assert_match(/nested too deeply/, refused[0].failure.message)
    assert_equal "text", refused[1]
    assert_equal 1, deep.size
  end

  def test_a_set_is_moved_where_this_ruby_can
    port = Ractor::Port.new
    moved = begin
      port.send(Set[+"a"], move: true) && true
    rescue Ractor::Error
      false
    end
    assert_equal moved, Moving.obstacle([Set[+"a"]], "it").nil?
  ensure
    port&.close
  end

  def test_items_that_cannot_be_moved_are_copied_or_fail
    buffer = +"buffer"
    part = +"part"
    items = [buffer, Thread.current, [part, Time.at(0)], [part, proc {}]]
    ready = Moving.prepare(items)
    assert_same buffer, ready[0]
    assert_kind_of Ratomic::Workers::Transfer::Refused, ready[1]
    assert_equal [1, 3], [ready[1], ready[3]].map { |refused| refused.failure.index }
    assert_equal ["part", Time.at(0)], ready[2]
    assert Ractor.shareable?(ready[2])
    assert_equal "part", part
    refute_predicate part, :frozen?
  end

  def moved_away
    port = Ractor::Port.new
    port.send(object = +"", move: true)
    object
  ensure
    port.close
  end

  def test_an_object_that_was_moved_before_is_refused_alone
    gone = moved_away
    assert_equal "it[1][:a] was moved to another owner before", Moving.obstacle([+"", { a: gone }], "it").to_s
    buffer = +"buffer"
    ready = Moving.prepare([[buffer, gone], gone])
    assert_equal [0, 1], (ready.map { |refused| refused.failure.index })
    assert_match(/\[1\] was moved to another owner/, ready[0].failure.message)
    assert_equal "buffer", buffer
  end

  def test_the_standard_streams_are_not_moved
    [$stdout, $stderr].each { |stream| assert_match(/instance of IO/, Moving.obstacle([stream], "it").to_s) }
    reader, writer = IO.pipe
    assert_nil Moving.obstacle([reader], "it")
  ensure
    [reader, writer].each { |stream| stream&.close }
  end

  def test_items_that_share_an_object_are_refused_before_any_is_moved
    buffer = +"buffer"
    assert_same items = [[buffer], [+""]], Moving.prepare(items)
    error = assert_raises(Ratomic::ShareableError) { Moving.prepare([[buffer], [buffer]]) }
    assert_match(/items\[0\]\[0\] and items\[1\]\[0\] are the same String/, error.message)
    assert_equal "buffer", buffer
  end
end
