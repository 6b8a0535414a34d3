-- Values that are easily read wrongly, in a database whose settings are in the way of reading them at all.
ALTER DATABASE postgres SET timezone = 'Europe/Berlin';
ALTER DATABASE postgres SET datestyle = 'German';
ALTER DATABASE postgres SET bytea_output = 'escape';
ALTER DATABASE postgres SET extra_float_digits = 0;
CREATE DOMAIN whole AS bigint;
CREATE DOMAIN document AS jsonb;
CREATE DOMAIN deeper AS document;
CREATE TABLE numbers (id int PRIMARY KEY, n numeric, f float8, d whole, b boolean, o oid, s smallint);
CREATE TABLE moments (id int PRIMARY KEY, at timestamptz, day date);
CREATE TABLE documents (id int PRIMARY KEY, j json, jb jsonb, dj document, dd deeper);
CREATE TABLE bytes (id int PRIMARY KEY, raw bytea, note text, u uuid);
CREATE TABLE large (id int, body text, n int);
ALTER TABLE large ALTER COLUMN body SET STORAGE EXTERNAL;
ALTER TABLE large REPLICA IDENTITY FULL;
CREATE SCHEMA "a.b";
CREATE SCHEMA a;
CREATE TABLE "a.b".c (id int PRIMARY KEY);
CREATE TABLE a."b.c" (id int PRIMARY KEY);
CREATE TABLE a."two
lines" (id int PRIMARY KEY, "a ""column""
" text);
CREATE PUBLICATION everything FOR ALL TABLES;
-- setup ends
INSERT INTO numbers VALUES
  (1, 12345678901234567890.123456789, 0.1, 9223372036854775807, true, 4294967295, -32768),
  (2, 'NaN', 'NaN', -1, false, 0, 0), (3, 'Infinity', '-Infinity', NULL, NULL, NULL, NULL),
  (4, -0.000001, 1e-300, 0, true, 1, 1), (5, 1e30, 1.7976931348623157e308, 7, true, 1, 1),
  (6, 100.00, 1e15, 7, true, 1, 1), (7, 0, 123456789012345, 7, true, 1, 1), (8, -5, 0.0001, 7, true, 1, 1);
INSERT INTO moments VALUES (1, '2024-02-29 12:00:00.25+00', '2024-02-29'), (2, '1890-01-01 00:00:00+00', '1890-01-01'),
  (3, '0001-01-01 00:00:00+00', '0001-01-01'), (4, 'infinity', '-infinity'), (5, NULL, '0044-03-15 BC'),
  (6, '12024-06-01 00:00:00.000001+00', '5874897-12-31');
INSERT INTO documents VALUES (1, NULL, 'null', 'null', NULL), (2, 'null', NULL, '{"a": [1, null]}', '"null"'),
  (3, '{"amount": 12345678901234567890.123456789, "tiny": 1e-400}', '[0.1, 1.0, 1e2]', '1.50', '{}'),
  (4, '"\ud800"', '"\u00e9"', NULL, NULL),
  (5, (repeat('[', 200) || repeat(']', 200))::json, (repeat('[', 200) || repeat(']', 200))::jsonb, NULL, NULL);
INSERT INTO bytes VALUES (1, '\x00ff5c41'::bytea, 'größe 漢字 🙂', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'), (2, '', '', NULL);
INSERT INTO large VALUES (1, repeat('large ', 2000), 1), (2, NULL, 1);
UPDATE large SET n = 2;
DELETE FROM large WHERE id = 2;
INSERT INTO "a.b".c VALUES (1);
INSERT INTO a."b.c" VALUES (1), (2);
INSERT INTO a."two
lines" VALUES (1, 'x');
