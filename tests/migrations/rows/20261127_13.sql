UPDATE imported_programs SET chapters_url = 'https://feeds.example.com/a/1.json', chapters_at = '2026-11-27 12:00:00+00'
    WHERE program_id = 1;
INSERT INTO program_chapters (program_id, position, start_sec, title) VALUES
    (1, 1, 0, 'المقدمة'), (1, 2, 95, 'المسامحة');
