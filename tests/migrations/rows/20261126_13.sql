INSERT INTO changed_programs (program_id, at) VALUES (1, '2026-11-26 12:00+00') ON CONFLICT DO NOTHING;
INSERT INTO vocabulary_programs (program_id, words, is_visible) VALUES (2, '{مسوده}', false) ON CONFLICT DO NOTHING;
INSERT INTO vocabulary (word, programs, drafts, sounds) VALUES ('مسوده', 0, 1, '{2004}');
