INSERT INTO saved_filters (account_id, name, query, created_at) VALUES
    (1, 'مسوداتي', 'editedBy=me&status=draft', '2026-11-27 12:00+00');
