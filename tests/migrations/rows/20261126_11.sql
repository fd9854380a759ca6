INSERT INTO query_daily (day, language, query, searches, pages, empty, hits, clicks, positions, plays, rungs, filters) VALUES
    ('2026-11-26', 'ar', '', 12, 3, 4, 96, 5, 11, 2, '{"plain": 10, "correction": 2}', '{"kind": 3}'),
    ('2026-11-26', 'ar', 'قهوه المساء', 7, 1, 0, 70, 4, 8, 2, '{"plain": 7}', '{"kind": 1}');
