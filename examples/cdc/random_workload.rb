# frozen_string_literal: true

module Cdc
  # Random transactions of several sessions at once: large and small ones, savepoints, rollbacks, prepared transactions,
  # changes of tables' definitions, large values, logical messages. The same seed gives the same statements.
  #
  # Each session changes rows of its own, so that none waits for another; where a definition cannot be changed because
  # others use the table, the statement fails, and with it its transaction or a part of it, as in real life.
  class RandomWorkload
    SESSIONS = 3
    TABLES = ["plain", "wide", "whole", "\"odd.name\""].freeze
    MARK = "the end of the random workload"

    SETUP = <<~SQL
      CREATE DOMAIN price AS numeric(30, 8);
      CREATE DOMAIN small AS int CHECK (VALUE < 1000);
      CREATE TABLE plain (id bigint PRIMARY KEY, n small, note text, at timestamptz, f float8);
      CREATE TABLE wide (id bigint PRIMARY KEY, body text, raw bytea, doc jsonb, cost price);
      ALTER TABLE wide ALTER COLUMN body SET STORAGE EXTERNAL;
      CREATE TABLE whole (id bigint, body text, flag boolean);
      ALTER TABLE whole ALTER COLUMN body SET STORAGE EXTERNAL;
      ALTER TABLE whole REPLICA IDENTITY FULL;
      CREATE TABLE "odd.name" (id bigint PRIMARY KEY, "a ""b""\\n" uuid, note text);
      CREATE PUBLICATION everything FOR ALL TABLES;
    SQL

    # @param cluster [Cluster]
    # @param seed [Integer]
    # @param transactions [Integer] of each session
    def initialize(cluster, seed:, transactions:)
      @cluster = cluster
      @random = Random.new(seed)
      @transactions = transactions
      @next_id = 0
      @columns = 0
      @prepared = []
      @open = {}
    end

    def run
      sessions(SESSIONS) do |all|
        all.each_with_index do |session, number|
          attempt(session, "SET lock_timeout = '20ms'; SET myself.number = #{number}")
        end
        (@transactions * SESSIONS * 4).times { step(pick(all)) }
        all.each { |session| finish(session) }
      end
      left = @cluster.sql("SELECT gid FROM pg_prepared_xacts ORDER BY gid").lines(chomp: true)
      left.each { |gid| @cluster.sql("#{pick(%w[COMMIT ROLLBACK])} PREPARED '#{gid}'") }
      @cluster.sql("SELECT pg_logical_emit_message(true, 'random', '#{MARK}')")
    end

    # @return [Boolean] whether this event of the stream is the last that {#run} made
    def over?(event)
      event.is_a?(Transaction::Emitted) && event.content == MARK
    end

    private

    def sessions(count, all = [], &block)
      return yield(all) if all.size == count

      @cluster.session { |session| sessions(count, all + [session], &block) }
    end

    # One thing in one session: it is inside of a transaction ({@open} has its savepoints), or not.
    def step(session)
      points = @open[session]
      return outside(session) unless points

      case @random.rand(20)
      when 0, 1 then savepoint(session, points)
      when 2, 3 then back(session, points)
      when 4 then points.empty? || attempt(session, "RELEASE #{points.pop}")
      when 5, 6 then finish(session)
      else attempt(session, change) || failed(session, points)
      end
    end

    def outside(session)
      return attempt(session, change) if chance(0.3)

      attempt(session, "BEGIN")
      @open[session] = []
    end

    def savepoint(session, points)
      points << "s#{points.size}"
      attempt(session, "SAVEPOINT #{points.last}")
    end

    def back(session, points)
      points.empty? || attempt(session, "ROLLBACK TO #{points.last}")
    end

    # A statement failed, and nothing is possible but to go back.
    def failed(session, points)
      return back(session, points) if points.any?

      attempt(session, "ROLLBACK")
      @open.delete(session)
    end

    def finish(session)
      return unless @open.delete(session)

      case @random.rand(10)
      when 0, 1 then attempt(session, "ROLLBACK")
      when 2, 3 then prepare(session)
      else attempt(session, "COMMIT")
      end
    end

    # PREPARE TRANSACTION in a transaction that has failed is a ROLLBACK, and says nothing.
    def prepare(session)
      gid = "gid #{@next_id += 1}"
      return attempt(session, "ROLLBACK") unless attempt(session, "PREPARE TRANSACTION '#{gid}'")

      @prepared << gid
      other = @prepared.delete(pick(@prepared)) if chance(0.5)
      attempt(session, "#{chance(0.6) ? 'COMMIT' : 'ROLLBACK'} PREPARED '#{other}'") if other
    end

    def attempt(session, statement)
      session.sql("#{statement};")
      true
    rescue Cluster::Failed => e
      raise if e.message.match?(/syntax error|(relation|column|function) .* does not exist/)

      false
    end

    def change
      case @random.rand(40)
      when 0 then definition
      when 1 then "SELECT pg_logical_emit_message(#{chance(0.5)}, 'random', 'message ' || #{@next_id += 1})"
      when 2 then "TRUNCATE #{pick(TABLES)}"
      when 3..20 then insert(chance(0.15) ? 100 + @random.rand(900) : 1 + @random.rand(5))
      when 21..32 then update
      else "DELETE FROM #{pick(TABLES)} WHERE #{mine} AND id % 7 = #{@random.rand(7)}"
      end
    end

    def insert(rows)
      first = @next_id + 1
      @next_id += rows
      values = {
        "plain" => "n % 1000, 'note ' || n || E'\\n' || #{quoted}, " \
                   "timestamptz '2024-01-01' + n * interval '1.5 s', n / 7.0",
        "wide" => "repeat(md5(n::text), #{1 + @random.rand(120)}), decode(md5(n::text), 'hex'), " \
                  "jsonb_build_object('n', n / 3.0, 'none', null), n * 1.00000001",
        "whole" => "repeat(md5(n::text), #{1 + @random.rand(120)}), n % 2 = 0",
        "\"odd.name\"" => "md5(n::text)::uuid, #{quoted}"
      }
      table = pick(TABLES)
      "INSERT INTO #{table} (#{columns(table)}) SELECT n * #{SESSIONS} + current_setting('myself.number')::int, " \
        "#{values[table]} FROM generate_series(#{first}, #{first + rows - 1}) AS n"
    end

    def columns(table)
      { "plain" => "id, n, note, at, f", "wide" => "id, body, raw, doc, cost", "whole" => "id, body, flag",
        "\"odd.name\"" => "id, \"a \"\"b\"\"\\n\", note" }[table]
    end

    def update
      some = "#{mine} AND id % 5 = #{@random.rand(5)}"
      pick(["UPDATE plain SET note = #{quoted}, f = -f WHERE #{some}", "UPDATE plain SET n = NULL WHERE #{some}",
            "UPDATE wide SET cost = cost + 1 WHERE #{some}", "UPDATE wide SET body = body || 'x' WHERE #{some}",
            "UPDATE wide SET doc = 'null', raw = NULL WHERE #{some}", "UPDATE whole SET flag = NOT flag WHERE #{some}",
            "UPDATE whole SET body = NULL WHERE #{some}",
            "UPDATE plain SET id = id + #{SESSIONS * 1_000_000 * (@next_id += 1)} WHERE #{some}",
            "UPDATE \"odd.name\" SET note = #{quoted} WHERE #{some}"])
    end

    def definition
      table = pick(TABLES)
      return "ALTER TABLE #{table} ADD COLUMN extra#{@columns += 1} text" if @columns.zero? || chance(0.5)

      "ALTER TABLE #{table} DROP COLUMN IF EXISTS extra#{1 + @random.rand(@columns)}"
    end

    def mine
      "id % #{SESSIONS} = current_setting('myself.number')::int"
    end

    def quoted
      pick(["'größe 漢字 🙂'", "E'two\\nlines'", "'it''s'", "NULL", "''", "repeat('long ', 500)"])
    end

    def pick(list)
      list[@random.rand(list.size)]
    end

    def chance(share)
      @random.rand < share
    end
  end
end
