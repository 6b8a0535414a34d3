# frozen_string_literal: true

require "test_helper"
require "json"
require "ratomic/karafka"

class KarafkaPoolTest < Minitest::Test
  # Stands for Karafka::Messages::Message.
  Message = Struct.new(:raw_payload)

  # As Karafka's own for JSON, also in that it is not frozen.
  class Json
    def call(message)
      message.raw_payload.nil? ? nil : JSON.parse(message.raw_payload)
    end
  end

  # Where it has run.
  module Where
    def self.call(_message)
      (Ratomic::RACTORS && !Ractor.main?) || Thread.current.name
    end
  end

  # Waits until it may go on.
  Lifecycle = Struct.new(:queue) do
    def call(message)
      queue.pop(timeout: 20)
      message.raw_payload.upcase
    end
  end

  # Cannot be shared.
  class Counting
    def initialize
      @calls = -> { self }
    end

    def call(_message)
      @calls
    end
  end

  # Two by two, and it remembers what it was asked.
  class Pairs
    attr_reader :asked

    def call(payloads, size, min_payloads:)
      @asked = [payloads.size, size, min_payloads]
      payloads.each_slice(2).to_a
    end
  end

  def setup
    @pool = Ratomic::Karafka::Pool.instance
    @pool.reset!
  end

  def teardown
    @pool.reset!
  end

  def messages(*payloads)
    payloads.map { |payload| Message.new(payload) }
  end

  def many(count)
    messages(*Array.new(count) { |i| JSON.generate({ "id" => i, "tags" => ["a"] }) })
  end

  def retrieve(messages, deserializer = Json.new, distributor = nil)
    within(30) { @pool.dispatch_async(messages, deserializer, distributor).retrieve }
  end

  def marker
    Ratomic::Karafka::Pool.interface.error
  end

  def test_nothing_is_dispatched_that_need_not_be
    refute_predicate @pool, :started?
    assert_equal 0, @pool.size
    immediate = Ratomic::Karafka::Immediate.instance
    assert_same immediate, @pool.dispatch_async(many(60), Json.new, nil)
    @pool.start(2, min_payloads: 50)
    assert_same immediate, @pool.dispatch_async([], Json.new, nil)
    assert_same immediate, @pool.dispatch_async(many(49), Json.new, nil)
    assert_instance_of Ratomic::Karafka::Future, @pool.dispatch_async(many(50), Json.new, nil)
    assert_nil immediate.retrieve
  end

  def test_it_is_started_once
    @pool.start(2, min_payloads: 5)
    @pool.start(4, min_payloads: 500)
    assert_predicate @pool, :started?
    assert_equal 2, @pool.size
    assert_equal 10, retrieve(many(10)).size
  end

  def test_payloads_are_in_order_and_what_fails_is_a_marker
    @pool.start(2, min_payloads: 1)
    payloads = retrieve(messages('{"a":1}', "{", nil, "[2]", "null"))
    assert_equal [{ "a" => 1 }, marker, nil, [2], nil], payloads
    assert_same marker, payloads[1]
    assert_equal Array.new(500) { |i| i }, retrieve(many(500)).map { |payload| payload["id"] }
  end

  def test_payloads_belong_to_the_consumer_and_come_once
    @pool.start(2, min_payloads: 1)
    future = @pool.dispatch_async(many(100), Json.new)
    payloads = within(30) { Array.new(4) { Thread.new { future.retrieve } }.map(&:value) }
    payloads.each { |same| assert_same payloads.first, same }
    payloads.first.each { |payload| payload["tags"] << "b" }
    assert_equal %w[a b], future.retrieve.last["tags"]
  end

  def test_payloads_can_be_frozen
    @pool.start(2, min_payloads: 1, results: :frozen)
    assert Ractor.shareable?(retrieve(many(20)).first)
  end

  def test_messages_and_deserializers_stay_as_they_were
    @pool.start(2, min_payloads: 1)
    given = messages(+'{"a":1}', +"[]")
    deserializer = Json.new
    retrieve(given, deserializer)
    given.each { |message| refute_predicate message.raw_payload, :frozen? }
    refute_predicate deserializer, :frozen?
  end

  def test_the_dispatching_thread_deserializes_nothing
    @pool.start(2, min_payloads: 1)
    places = within(30) do
      Thread.current.name = "the listener"
      Array.new(30) { @pool.dispatch_async(messages("x"), Where).retrieve }.flatten
    end
    assert_equal 30, places.size
    refute_includes places, "the listener"
  end

  def test_a_deserializer_that_cannot_be_shared_is_not_used_and_reported
    @pool.start(2, min_payloads: 1)
    skip "threads share everything" unless Ratomic::RACTORS
    2.times { assert_nil retrieve(many(3), Counting.new) }
    assert_match(/Counting cannot be shared/, @pool.refusals.fetch("KarafkaPoolTest::Counting"))
  end

  # A deserializer with a file that the program writes to, or with any other object.
  Holding = Struct.new(:object) do
    def call(message) = message.raw_payload
  end

  def test_a_refusal_names_the_part_that_cannot_be_shared
    @pool.start(2, min_payloads: 1)
    File.open(File::NULL, "w") do |file|
      [[file, "(an instance of File)"], [proc { file }, "(an instance of Proc)"]].each do |object, kind|
        assert_nil retrieve(many(3), Holding.new(object))
        assert_includes @pool.refusals.fetch("KarafkaPoolTest::Holding"), "object #{kind}"
      end
      refute_predicate file, :frozen?
    end
  end

  def test_a_distributor_of_the_users_own_cuts
    @pool.start(2, min_payloads: 3)
    distributor = Pairs.new
    assert_equal [0, 1, 2, 3, 4], retrieve(many(5), Json.new, distributor).map { |payload| payload["id"] }
    assert_equal [5, 2, 3], distributor.asked
  end

  def test_threads_dispatch_at_once
    @pool.start(2, min_payloads: 1)
    deserializer = Json.new
    threads = Array.new(6) { Thread.new { Array.new(5) { @pool.dispatch_async(many(60), deserializer) } } }
    within(60) do
      threads.flat_map(&:value).each { |future| assert_equal([*0..59], future.retrieve.map { |one| one["id"] }) }
    end
  end

  def test_a_shutdown_finishes_what_was_dispatched_and_lets_nothing_more_in
    @pool.start(2, min_payloads: 1)
    gate = Ratomic::Queue.new(10)
    future = @pool.dispatch_async(messages("a", "b"), Lifecycle.new(gate).freeze)
    refute @pool.shutdown(timeout: 0.01)
    2.times { gate.push(:go) }
    assert within(30) { @pool.shutdown }
    assert_equal %w[A B], within(30) { future.retrieve }
    assert_nil retrieve(many(3))
  end

  def test_a_reset_leaves_nothing_behind
    assert_leaves_nothing do
      @pool.start(2, min_payloads: 1)
      retrieve(many(10))
      @pool.reset!
    end
    refute_predicate @pool, :started?
  end

  # Karafka's swarm: the parent is set up, and starts nothing; its children consume.
  def test_forked_children_deserialize_with_workers_of_their_own
    assert_equal "[60, 60]\n", ruby!(<<~RUBY, seconds: 60)
      require "json"
      require "ratomic/karafka"
      Message = Struct.new(:raw_payload)
      class Json
        def call(message) = JSON.parse(message.raw_payload)
      end
      pool = Ratomic::Karafka::Pool.instance
      pool.start(2, min_payloads: 50)
      counts = Array.new(2) do
        read, write = IO.pipe
        pid = fork do
          future = pool.dispatch_async(Array.new(60) { |i| Message.new("[\#{i}]") }, Json.new)
          write.write(future.retrieve.grep(Array).size)
          write.close
          exit!(0)
        end
        write.close
        Process.wait(pid)
        Integer(read.read)
      end
      p counts
    RUBY
  end
end
