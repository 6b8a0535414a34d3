-- Streamed transactions with parts that are undone, small ones between their blocks, tables first seen inside.
CREATE TABLE t (id int PRIMARY KEY, note text);
CREATE TABLE s (id int PRIMARY KEY);
CREATE DOMAIN amount AS int;
CREATE TABLE described_inside (id amount, note text);
CREATE PUBLICATION everything FOR ALL TABLES;
-- setup ends
INSERT INTO s VALUES (1);
BEGIN;
INSERT INTO t SELECT n, 'a' FROM generate_series(1, 400) AS n;
-- session 2
INSERT INTO s VALUES (2);
-- session 1
SAVEPOINT a;
INSERT INTO t SELECT n, 'undone' FROM generate_series(1001, 1400) AS n;
INSERT INTO described_inside VALUES (1, 'undone');
SELECT pg_logical_emit_message(true, 'p', 'undone');
ROLLBACK TO a;
INSERT INTO described_inside VALUES (2, 'kept');
SELECT pg_logical_emit_message(true, 'p', 'kept');
-- session 2
BEGIN;
INSERT INTO s SELECT generate_series(10, 500);
INSERT INTO s SELECT generate_series(501, 800);
-- session 1
SAVEPOINT b;
UPDATE t SET note = 'b' WHERE id <= 300;
SAVEPOINT c;
DELETE FROM t WHERE id <= 20;
RELEASE c;
RELEASE b;
COMMIT;
-- session 2
ROLLBACK;
INSERT INTO described_inside VALUES (3, 'after');
INSERT INTO s VALUES (3);
