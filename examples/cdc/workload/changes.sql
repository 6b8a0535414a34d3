-- Between the two halves of the pgbench run.
UPDATE samples SET measure = -measure, taken = taken + interval '1 day', document = document || '{"again": true}'
WHERE state = 'busy';
UPDATE articles SET title = title || ' (new)' WHERE id % 3 = 0;
UPDATE articles SET revision = revision + 1;
UPDATE profiles SET active = NOT active WHERE login < 'user4';
UPDATE carts SET id = id + 1000 WHERE id <= 10;
DELETE FROM carts WHERE id BETWEEN 30 AND 35;

-- The definition of a table changes while its rows go on changing.
ALTER TABLE articles ADD COLUMN stars integer DEFAULT 3;
UPDATE articles SET stars = id % 5 WHERE id % 4 = 0;
BEGIN;
UPDATE articles SET stars = 5 WHERE id = 1;
ALTER TABLE articles ADD COLUMN checked boolean;
UPDATE articles SET checked = true WHERE id <= 10;
ALTER TABLE articles DROP COLUMN revision;
UPDATE articles SET body = (SELECT string_agg(md5(id || '!' || line), E'\n') FROM generate_series(1, 90) AS line)
WHERE id % 5 = 0;
COMMIT;
ALTER TABLE samples ALTER COLUMN small TYPE text;
UPDATE samples SET small = 'was ' || small WHERE id <= 200000000000 OR small IS NULL;

TRUNCATE carts, cart_lines;
INSERT INTO carts SELECT n, 'again' FROM generate_series(1, 15) AS n;
