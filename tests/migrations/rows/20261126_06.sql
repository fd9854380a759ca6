INSERT INTO program_trends (program_id, day, week, viewed_at) VALUES (1, 86239.5, 12320.1, '2026-11-26 08:00:00+00');
