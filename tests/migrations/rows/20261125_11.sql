INSERT INTO import_conflicts (id, program_id, field, source_value, state, run_id, created_at) VALUES
    (1, 1, 'title', '"المرأة"', 'open', 1, '2026-03-02 00:00:00+00'),
    (2, 1, 'durationSec', 'null', 'kept', 1, '2026-03-02 00:00:00+00');
INSERT INTO import_totals (kind, name, total) VALUES ('feed', 'created', 12), ('feed', 'seconds', 1.5);
UPDATE import_items SET conflicts = '{"title": ["المرأة التي سامحت", "المرأة"]}' WHERE run_id = 1 AND position = 0;
