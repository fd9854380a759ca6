INSERT INTO review_comments (program_id, kind, rev, pending_rev, field, body, author, at, resolved_at, resolved_by) VALUES
    (1, 'rejection', 5, 7, 'title', 'العنوان طويل', 'account:reviewer@example.com', '2026-11-26 12:00+00', '2026-11-26 13:00+00', 'account:reviewer@example.com');
INSERT INTO review_comments (program_id, thread_id, rev, body, author) SELECT 1, id, 5, 'Shortened.', 'account:editor@example.com' FROM review_comments;
