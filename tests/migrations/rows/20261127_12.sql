INSERT INTO import_runs (id, source_id, parent_id, retry_of, documents_of, applied_from, kind, url, file_name, namespace,
                         options, dry_run, trigger, status, fetched, cancel_requested, attempt, dispatched, next_at,
                         lease_token, lease_until, total, position, created, updated, unchanged, conflicts, skipped, failed,
                         code, detail, actor_kind, actor_id, actor_name, created_at, started_at, finished_at) VALUES
    (3, NULL, NULL, NULL, 2, 2, 'csv', NULL, 'programs.csv', 'file', '{"positions": [0]}', false, 'editor', 'succeeded', true,
     false, 1, 1, '2026-11-27 12:00:00+00', NULL, NULL, 1, 1, 1, 0, 0, 0, 0, 0, NULL, NULL, 'account', 1, 'سلمى',
     '2026-11-27 12:00:00+00', '2026-11-27 12:00:01+00', '2026-11-27 12:00:09+00');
