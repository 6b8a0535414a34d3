# frozen_string_literal: true

require "test_helper"
require_relative "../../examples/cdc/errors"
require_relative "../../examples/cdc/cluster"

begin
  require "pg"
rescue LoadError
  nil # the tests are skipped, and say so
end

# LocalPool with connections to a real PostgreSQL server. Needs the gem pg, built for this Ruby: Debian's ruby-pg is for
# Debian's own Ruby only.
class PostgresTest < Minitest::Test
  Factory = Struct.new(:options) do
    def call
      PG.connect(options)
    end
  end

  ITEMS = 1_000 # of each producer

  # What runs in the Ractors.
  module Job
    module_function

    # The whole recipe for a server that may have gone: the broken connection is thrown away, the next one is new.
    def query(pool, sql, *values)
      tries = 0
      begin
        pool.with do |connection|
          connection.exec_params(sql, values).values
        rescue PG::Error
          pool.discard_current
          raise
        end
      rescue PG::Error
        raise if (tries += 1) > 5

        retry
      end
    end

    def produce(pool, number)
      ITEMS.times { |i| query(pool, "INSERT INTO jobs (item) VALUES ($1)", "#{number}:#{i}") }
    end

    def consume(pool, finished, producers)
      items = []
      loop do
        over = finished.read == producers
        taken = query(pool, "DELETE FROM jobs WHERE id = (SELECT id FROM jobs ORDER BY id LIMIT 1 " \
                            "FOR UPDATE SKIP LOCKED) RETURNING item")
        items.concat(taken.flatten)
        break if over && taken.empty?
      end
      items
    end
  end

  def setup
    skip "the gem pg cannot be loaded by this Ruby" unless defined?(PG)
  end

  def with_pool(size: 3)
    Cdc::Cluster.open do |cluster|
      cluster.sql("CREATE TABLE jobs (id bigserial PRIMARY KEY, item text); CREATE TABLE hits (id int, count int); " \
                  "INSERT INTO hits VALUES (1, 0)")
      folder = cluster.sql("SHOW unix_socket_directories").strip
      factory = Ractor.make_shareable(Factory.new({ host: folder, user: "postgres", dbname: "postgres" }))
      pool = Ratomic::LocalPool.new(size: size, timeout: 5, factory: factory)
      yield pool, cluster
    ensure
      pool&.close
    end
  rescue Cdc::Programs::Missing => e
    skip e.message
  end

  def test_threads_share_at_most_size_connections
    with_pool do |pool, _|
      threads = Array.new(8) { Thread.new { 50.times { Job.query(pool, "UPDATE hits SET count = count + 1") } } }
      within(60) { threads.each(&:join) }
      assert_equal [["400"]], Job.query(pool, "SELECT count FROM hits")
      backends = Job.query(pool, "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'")
      assert_includes 1..3, Integer(backends.flatten.first)
    end
  end

  def test_producers_and_consumers_before_and_after_every_connection_was_cut
    skip_without_ractors
    with_pool do |pool, cluster|
      pool.with { |connection| connection.exec("SELECT 1") }
      2.times do |round|
        assert_equal expected, within(120) { run_round(pool) }.sort, "round #{round + 1}"
        assert_equal [["0"]], Job.query(pool, "SELECT count(*) FROM jobs")
        cluster.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() " \
                    "AND backend_type = 'client backend'")
      end
      eventually(STATE_TIMEOUT_S, "the end of the Ractors' connections") do
        cluster.sql("SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'").to_i <= 4
      end
    end
  end

  def run_round(pool)
    finished = Ratomic::Counter.new
    consumers = Array.new(5) { Ractor.new(pool, finished) { |mine, over| Job.consume(mine, over, 2) } }
    producers = Array.new(2) do |number|
      Ractor.new(pool, finished, number) { |mine, over, i| Job.produce(mine, i).then { over.increment } }
    end
    producers.each(&:value)
    consumers.flat_map(&:value)
  end

  def expected
    [0, 1].flat_map { |number| Array.new(ITEMS) { |i| "#{number}:#{i}" } }.sort
  end
end
