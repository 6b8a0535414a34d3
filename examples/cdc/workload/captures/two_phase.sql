-- Prepared transactions, small and streamed, committed and rolled back, with others between.
CREATE TABLE t (id int PRIMARY KEY, note text);
CREATE PUBLICATION everything FOR ALL TABLES;
-- setup ends
INSERT INTO t VALUES (0, 'before');
BEGIN;
INSERT INTO t VALUES (1, 'prepared');
PREPARE TRANSACTION 'kept';
BEGIN;
INSERT INTO t VALUES (2, 'undone');
PREPARE TRANSACTION 'it''s "gone"';
INSERT INTO t VALUES (3, 'between');
BEGIN;
INSERT INTO t SELECT n, 'large' FROM generate_series(100, 800) AS n;
SAVEPOINT a;
INSERT INTO t SELECT n, 'undone' FROM generate_series(1000, 1500) AS n;
ROLLBACK TO a;
PREPARE TRANSACTION 'large';
COMMIT PREPARED 'kept';
ROLLBACK PREPARED 'it''s "gone"';
INSERT INTO t VALUES (4, 'between');
COMMIT PREPARED 'large';
INSERT INTO t VALUES (5, 'after');
