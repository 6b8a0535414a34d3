# frozen_string_literal: true

require "json"

module Cdc
  # What happens in the database while it is recorded, and what PostgreSQL itself counts of it.
  #
  # Nothing is rolled back: PostgreSQL's statistics count what a transaction did even when it is undone later, and
  # a logical stream has only what was committed.
  class Workload
    SLOT = "ratomic"
    # A second slot on the same changes, which the server itself cuts into messages.
    CHECK_SLOT = "ratomic_check"
    PLUGIN_OPTIONS = { "proto_version" => "1", "publication_names" => "ratomic", "messages" => "true" }.freeze
    MARK = "the end"
    DIRECTORY = File.expand_path("workload", __dir__).freeze

    # @param cluster [Cluster]
    # @param transactions [Integer] of pgbench, in two halves
    # @param clients [Integer] of pgbench; with 1 the stream is the same every time but for times and ids
    def initialize(cluster, transactions:, clients: 1)
      @cluster = cluster
      @transactions = transactions
      @clients = clients
    end

    # Makes the tables, the publication and the slots. Statistics begin at zero behind it.
    def prepare
      @cluster.run("pgbench", "--initialize", "--quiet", "--scale=1")
      script("tables")
      settle
      @cluster.sql("SELECT pg_stat_reset()")
    end

    # Does everything once, and leaves a mark at the end of the stream.
    def run
      script("rows")
      pgbench(1)
      script("changes")
      pgbench(2)
      script("endings")
      @cluster.sql("SELECT pg_logical_emit_message(true, 'ratomic', '#{MARK}')")
    end

    # @return [Boolean] whether this event of the stream is the last that {#run} made
    def over?(event)
      event.is_a?(Transaction::Emitted) && event.content == MARK
    end

    # @return [Hash{String => Hash}] per table what PostgreSQL counted: inserts, updates, deletes
    def statistics
      settle
      rows = @cluster.sql("SELECT json_build_array(schemaname, relname, n_tup_ins, n_tup_upd, n_tup_del) " \
                          "FROM pg_stat_user_tables ORDER BY schemaname, relname")
      rows.lines(chomp: true).to_h do |row|
        schema, table, *counts = JSON.parse(row)
        [Relation.name_for(schema, table), { "inserts" => counts[0], "updates" => counts[1], "deletes" => counts[2] }]
      end
    end

    # @return [Hash{String => Integer}] messages by type, as the server cuts the same changes
    def messages
      rows = @cluster.sql("SELECT chr(get_byte(data, 0)), count(*) FROM #{changes} GROUP BY 1 ORDER BY 1")
      rows.lines(chomp: true).to_h { |row| row.split("|") }.transform_values { |count| Integer(count) }
    end

    # @return [String] MD5 of these messages, a newline behind each
    def md5
      @cluster.sql("SELECT md5(string_agg(data || '\\x0a', ''::bytea ORDER BY place)) FROM #{changes}").chomp
    end

    private

    def script(name)
      @cluster.sql(File.read(File.join(DIRECTORY, "#{name}.sql")))
    end

    def pgbench(seed)
      @cluster.run("pgbench", "--no-vacuum", "--client=#{@clients}", "--random-seed=#{seed}",
                   "--transactions=#{[@transactions / 2 / @clients, 1].max}")
    end

    # A session hands in its counts before it is gone from pg_stat_activity.
    def settle
      @cluster.sql(<<~SQL)
        DO $$ BEGIN
          FOR turn IN 1..1000 LOOP
            PERFORM pg_stat_clear_snapshot();
            EXIT WHEN NOT EXISTS (SELECT FROM pg_stat_activity
                                  WHERE backend_type = 'client backend' AND pid <> pg_backend_pid());
            PERFORM pg_sleep(0.01);
          END LOOP;
        END $$;
      SQL
    end

    # Descriptions of tables and types are left out: how often they come again depends on the session.
    def changes
      options = PLUGIN_OPTIONS.map { |pair| pair.map { |text| "'#{text}'" }.join(", ") }.join(", ")
      "pg_logical_slot_peek_binary_changes('#{CHECK_SLOT}', NULL, NULL, #{options}) " \
        "WITH ORDINALITY AS change(lsn, xid, data, place) WHERE get_byte(data, 0) NOT IN (82, 89)"
    end
  end
end
