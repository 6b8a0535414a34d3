-- The first rows. No two texts are alike, and they hold newlines, quotes, and more than ASCII.
INSERT INTO articles (id, title, body)
SELECT n, format('Article %s: "größer" 漢字 🙂', n),
       (SELECT string_agg(md5(n || ' ' || line) || md5(line || ' ' || n), E'\n' ORDER BY line)
        FROM generate_series(1, 36 + n % 60) AS line)
FROM generate_series(1, 80) AS n;

INSERT INTO profiles
SELECT format('user%s', n),
       (SELECT string_agg(format('%s, l''été, %s', md5(n || 'p' || line), line * n), E'\n' ORDER BY line)
        FROM generate_series(1, 50 + n % 20) AS line),
       n % 3 = 0
FROM generate_series(1, 50) AS n;

INSERT INTO samples
SELECT n * 10000000000, n - 600, n % 2 = 0,
       CASE n % 50 WHEN 7 THEN 'NaN' WHEN 8 THEN '-Infinity' ELSE n / 7.0 END,
       sqrt(n) * 1e10, n / 3.0,
       '2024-02-29 12:00:00+00'::timestamptz + n * interval '1 minute 0.25 seconds', '2024-02-29'::date + n,
       md5(n::text)::uuid,
       jsonb_build_object('n', n, 'half', n / 2.0, 'none', NULL, 'station', format('Straße %s', n % 17),
                          'place', jsonb_build_object('lat', n / 13.0, 'lon', -n / 11.0),
                          'list', (SELECT jsonb_agg(n * k % 101) FROM generate_series(1, 3 + n % 9) AS k)),
       decode(md5('raw' || n), 'hex'), ARRAY[n, NULL, -n], (ARRAY['calm', 'busy', 'on fire'])[1 + n % 3]::mood
FROM generate_series(1, 1200) AS n;
INSERT INTO samples (id) VALUES (-9223372036854775808), (9223372036854775807);

INSERT INTO carts SELECT n, repeat('item ' || n || E'\n', 3) FROM generate_series(1, 40) AS n;
INSERT INTO cart_lines SELECT n % 40 + 1, n, n * 3 FROM generate_series(1, 80) AS n;
