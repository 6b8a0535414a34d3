-- After the pgbench run.
DELETE FROM articles WHERE id % 8 = 0;
DELETE FROM profiles WHERE login LIKE '%7';
DELETE FROM samples WHERE id BETWEEN 10000000000 AND 500000000000;
TRUNCATE pgbench_history;

-- A transaction that came from elsewhere, and messages without rows.
SELECT pg_replication_origin_create('elsewhere');
SELECT pg_replication_origin_session_setup('elsewhere');
BEGIN;
SELECT pg_replication_origin_xact_setup('0/ABCDEF', '2024-02-29 12:00:00+00');
INSERT INTO carts VALUES (5000, 'from elsewhere');
COMMIT;
SELECT pg_replication_origin_session_reset();
SELECT pg_logical_emit_message(false, 'note', E'at once\nand in two lines');
