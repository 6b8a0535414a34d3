# frozen_string_literal: true

require "test_helper"
require "tmpdir"
require_relative "../../../examples/cdc/cdc"
require_relative "../../../examples/cdc/capture"
require_relative "../../../examples/cdc/cluster"

# examples/cdc/live against a real server, which must be gone afterwards, however the script ends.
class CdcLiveTest < Minitest::Test
  SCRIPT = File.expand_path("../../../examples/cdc/live", __dir__)

  def test_without_postgresql_it_says_what_to_install
    error = assert_raises(Cdc::Programs::Missing) { Cdc::Programs.find(path: "/nowhere", usual: ["/nor/here/*"]) }

    assert_match(/\APostgreSQL is not installed here: install the package postgresql/, error.message)
    assert_equal 1, error.message.lines.size
  end

  def test_wrong_arguments_are_refused_before_a_server_is_started
    [%w[many], %w[1], ["--workers", "-3"]].each do |arguments|
      result = run_command(RbConfig.ruby, SCRIPT, *arguments, seconds: 20)

      assert_equal [2, 1, ""], [result.status.exitstatus, result.err.lines.size, result.out]
    end
  end

  def test_what_a_real_server_streams_is_decoded_to_what_it_counted
    in_temporary_directory do |directory|
      result = run_command(RbConfig.ruby, SCRIPT, "--workers", "2", "400", seconds: 120, env: { "TMPDIR" => directory })

      assert_equal [0, ""], [result.status.exitstatus, result.err]
      assert_match(%r{^public\.pgbench_tellers +0 +400 +0 +0 +\d+ +0/400/0 +equal$}, result.out)
      assert_empty Dir.children(directory)
    end
  end

  # As PostgreSQL 13 and older do: they know no option `messages`.
  def test_when_the_stream_ends_too_early_the_servers_own_words_are_told
    with_cluster do |cluster|
      workload = Cdc::Workload.new(cluster, transactions: 2)
      workload.prepare
      options = Cdc::Workload::PLUGIN_OPTIONS.merge("unheard_of" => "true")
      error = assert_raises(Cdc::Cluster::Failed) do
        within(60) { Cdc::Capture.run(cluster, workload, Cdc::Intake.new, options: options) { nil } }
      end

      assert_match(/ended at byte 0, before the workload did: ERROR:  unrecognized pgoutput option: unheard_of\z/,
                   error.message)
    end
  end

  def test_the_session_makes_the_settings_of_the_database_harmless
    with_cluster do |cluster|
      cluster.sql("CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'")
      %w[datestyle=German timezone='Europe/Berlin' bytea_output='escape' intervalstyle='iso_8601']
        .each { |setting| cluster.sql("ALTER DATABASE latin SET #{setting}") }
      cluster.sql(<<~SQL, database: "latin")
        CREATE TABLE größe (id int PRIMARY KEY, note text, at timestamptz, raw bytea);
        CREATE PUBLICATION everything FOR ALL TABLES;
        SELECT pg_create_logical_replication_slot('latin', 'pgoutput');
      SQL
      cluster.sql("INSERT INTO größe VALUES (1, 'Straße', '1890-01-01 00:00:00+00', '\\x00ff')", database: "latin")
      recording = Cdc::Recording.parse(stream_of(cluster, "latin"))
      change = Cdc::DecodeChange.new(recording.relations).call(recording.items.first)

      assert_equal ["public.größe", [1, "Straße", Time.utc(1890), "\x00\xFF".b]], [change.table, change.row]
    end
  end

  def test_an_interrupt_stops_the_server
    %w[INT TERM].each do |signal|
      in_temporary_directory do |directory|
        script, server = start(directory)
        Process.kill(signal, script)

        assert_equal 130, within(60) { Process.wait2(script).last.exitstatus }
        refute alive?(server), "the server outlived #{signal}"
        assert_empty Dir.children(directory)
      end
    end
  end

  def test_not_even_a_killed_script_leaves_its_server
    skip "needs setpriv" unless Cdc::Programs.find.command("psql").first.end_with?("setpriv")
    in_temporary_directory do |directory|
      script, server = start(directory)
      Process.kill("KILL", script)
      Process.wait(script)

      eventually(30, "the end of the server") { !alive?(server) }
    end
  end

  private

  def with_cluster(&block)
    Cdc::Cluster.open(&block)
  rescue Cdc::Programs::Missing => e
    skip e.message
  end

  # All that is in the slot by now.
  def stream_of(cluster, database)
    last = cluster.sql("SELECT pg_current_wal_insert_lsn()").chomp
    cluster.sql("SELECT pg_logical_emit_message(false, 'end', '')", database: database)
    options = { "proto_version" => "1", "publication_names" => "everything" }
    within(60) { cluster.replicate(database, options, database: database, endpos: last, &:read) }
  end

  def in_temporary_directory
    Cdc::Programs.find
    Dir.mktmpdir do |directory|
      File.chmod(0o755, directory) # the server may be another user's
      yield directory
    end
  rescue Cdc::Programs::Missing => e
    skip e.message
  end

  # Starts the script with more transactions than it will see, waits for rows to change, and returns its process id and
  # the server's.
  def start(directory)
    script = Process.spawn({ "TMPDIR" => directory }, RbConfig.ruby, SCRIPT, "1000000",
                           out: File::NULL, err: File::NULL, pgroup: true)
    slot = File.join(directory, "*/data/pg_replslot/ratomic_check/state")
    eventually(60, "the start of the server") { Dir.glob(slot).any? }
    [script, Integer(File.readlines(Dir.glob(File.join(directory, "*/data/postmaster.pid")).first).first)]
  end

  def alive?(pid)
    Process.kill(0, pid)
    File.exist?("/proc/self/stat") ? !File.read("/proc/#{pid}/stat").match?(/\) Z /) : true
  rescue Errno::ESRCH, Errno::ENOENT
    false
  end
end
