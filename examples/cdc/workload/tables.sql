-- The tables besides pgbench's own, the publication, and the slots whose changes are read.

-- Wide texts, stored out of line: an update that does not touch the body does not send it again.
CREATE TABLE articles (
  id integer PRIMARY KEY,
  title text NOT NULL,
  body text NOT NULL,
  revision integer NOT NULL DEFAULT 1
);
ALTER TABLE articles ALTER COLUMN body SET STORAGE EXTERNAL;

-- With the full row as identity: updates and deletes carry the whole old row.
CREATE TABLE profiles (
  login text,
  biography text,
  active boolean
);
ALTER TABLE profiles ALTER COLUMN biography SET STORAGE EXTERNAL;
ALTER TABLE profiles REPLICA IDENTITY FULL;

-- One column of many a type.
CREATE TYPE mood AS ENUM ('calm', 'busy', 'on fire');
CREATE TABLE samples (
  id bigint PRIMARY KEY,
  small smallint,
  flag boolean,
  ratio real,
  measure double precision,
  price numeric(20, 6),
  taken timestamptz,
  day date,
  tag uuid,
  document jsonb,
  raw bytea,
  numbers integer[],
  state mood
);

-- To be emptied.
CREATE TABLE carts (id integer PRIMARY KEY, content text);
CREATE TABLE cart_lines (cart integer, line integer, amount integer, PRIMARY KEY (cart, line));

CREATE PUBLICATION ratomic FOR ALL TABLES;
SELECT pg_create_logical_replication_slot('ratomic', 'pgoutput');
SELECT pg_create_logical_replication_slot('ratomic_check', 'pgoutput');
