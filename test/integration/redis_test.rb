# frozen_string_literal: true

require "test_helper"
require_relative "redis/client"
require_relative "../../examples/support/redis_server"

# LocalPool with real connections to a real Redis, from many threads and Ractors.
class RedisTest < Minitest::Test
  LISTS = %w[one two three four five].freeze
  ITEMS = 4_000 # of each producer

  # What runs in the Ractors.
  module Job
    module_function

    # The whole recipe for a server that may have gone: the broken client is thrown away, the next one is new.
    def call(pool, *command)
      tries = 0
      begin
        pool.with do |client|
          client.call(*command)
        rescue StandardError
          pool.discard_current
          raise
        end
      rescue StandardError
        raise if (tries += 1) > 3

        retry
      end
    end

    def produce(pool, number)
      ITEMS.times { |i| call(pool, "RPUSH", LISTS[(i + number) % LISTS.size], "#{number}:#{i}") }
    end

    # In two threads, which share this Ractor's clients.
    def consume(pool, finished, producers)
      Array.new(2) { Thread.new { consume_all(pool, finished, producers) } }.flat_map(&:value)
    end

    def consume_all(pool, finished, producers)
      items = []
      loop do
        over = finished.read == producers
        taken = LISTS.filter_map { |list| call(pool, "LPOP", list) }
        items.concat(taken)
        break if over && taken.empty?
      end
      items
    end
  end

  def self.run(*)
    @server = RedisServer.new.start if RedisServer.available?
    puts "redis-server on port #{@server.port}, through #{RedisClients::NAME}" if @server
    super
  ensure
    @server&.stop
  end

  class << self
    attr_reader :server
  end

  def setup
    skip "redis-server is not installed" unless self.class.server
    factory = RedisClients::Factory.new(self.class.server.port).freeze
    @pool = Ratomic::LocalPool.new(size: 3, timeout: 5, factory: factory)
    Job.call(@pool, "FLUSHALL")
  end

  def teardown
    @pool&.close
  end

  def connections
    @pool.with { |client| client.call("CLIENT", "LIST").lines.size }
  end

  def test_threads_share_at_most_size_connections
    threads = Array.new(8) { Thread.new { 200.times { @pool.with { |client| client.call("INCR", "hits") } } } }
    within(30) { threads.each(&:join) }
    assert_equal "1600", Job.call(@pool, "GET", "hits")
    assert_includes 1..3, connections
  end

  def test_ractors_and_their_threads_count_exactly_and_share_no_connection
    skip_without_ractors
    ractors = Array.new(3) do
      Ractor.new(@pool) do |pool|
        threads = Array.new(4) do
          Thread.new do
            Array.new(250) { pool.with { |client| client.call("INCR", "hits") && client.call("CLIENT", "ID") } }
          end
        end
        threads.flat_map(&:value).uniq
      end
    end
    ids = within(60) { ractors.map(&:value) }
    assert_equal "3000", Job.call(@pool, "GET", "hits")
    ids.each { |of_one| assert_includes 1..3, of_one.size }
    assert_equal ids.sum(&:size), ids.flatten.uniq.size
  end

  def test_producers_and_consumers_before_and_after_the_server_was_killed
    skip_without_ractors
    finished = Ratomic::Counter.new
    producers = Array.new(2) { |number| worker(finished, :produce, number) }
    consumers = Array.new(5) { |number| worker(finished, :consume, number) }
    2.times do |round|
      finished.reset
      results = within(120) { run_round(producers, consumers) }
      assert_equal expected, results.flatten.sort, "round #{round + 1}"
      assert_equal [0] * 5, LISTS.map { |list| Job.call(@pool, "LLEN", list) }
      next if round.positive?

      self.class.server.kill
      self.class.server.start
    end
    (producers + consumers).each { |_, orders, _| orders.close }
    within(10) { (producers + consumers).each { |ractor, _, _| ractor.join } }
    eventually(STATE_TIMEOUT_S, "the end of the Ractors' connections") { connections <= 3 }
  end

  # A Ractor that lives through both rounds, and so holds connections to a server that is gone in the second.
  def worker(finished, role, number)
    orders = Ratomic::Queue.new(1)
    answers = Ratomic::Queue.new(1)
    ractor = Ractor.new(@pool, finished, orders, answers, role, number) do |pool, over, from, to, job, i|
      while from.pop
        begin
          result = job == :produce ? Job.produce(pool, i).then { over.increment && [] } : Job.consume(pool, over, 2)
        rescue Exception => e # rubocop:disable Lint/RescueException -- it is the result
          result = ["#{e.class}: #{e.message}"]
        end
        to.push(result)
      end
    end
    [ractor, orders, answers]
  end

  def run_round(producers, consumers)
    (producers + consumers).each { |_, orders, _| orders.push(:go) }
    (producers + consumers).map { |_, _, answers| answers.pop }
  end

  def expected
    [0, 1].flat_map { |number| Array.new(ITEMS) { |i| "#{number}:#{i}" } }.sort
  end

  def test_a_ractor_that_ends_leaves_no_connection
    skip_without_ractors
    before = connections
    in_ractor(@pool) do |pool|
      pool.checkout.call("PING")
      pool.with { |client| client.call("PING") }
    end
    eventually(STATE_TIMEOUT_S, "the end of the Ractor's connections") { connections == before }
  end

  def test_a_forked_child_connects_anew_and_disturbs_nobody
    id = @pool.with { |client| client.call("CLIENT", "ID") }
    reader, writer = IO.pipe
    child = fork do
      writer.puts(@pool.with { |client| client.call("CLIENT", "ID") })
      @pool.close
      writer.close
      exit!(0)
    end
    writer.close
    within(10) { Process.wait(child) }
    refute_equal id, Integer(reader.read)
    assert_equal(id, @pool.with { |client| client.call("CLIENT", "ID") })
  end
end
