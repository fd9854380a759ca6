-- A small catalogue as the baseline's code writes it: every table has rows, every column has a value somewhere.
-- Rows are never changed after a release: they stand for the data that deployments have.

INSERT INTO accounts (id, email, name, password_hash, roles, is_active, token_version, created_at, last_login_at) VALUES
    (1, 'Salma@example.com', 'سلمى', '$argon2id$v=19$m=65536,t=3,p=4$c2FsdA$aGFzaA', '{admin,editor}', true, 3,
     '2026-01-02 03:04:05+00', '2026-11-01 08:00:00+00'),
    (2, 'left@example.com', '', '$argon2id$v=19$m=65536,t=3,p=4$c2FsdA$b2xk', '{}', false, 1, '2026-01-03 00:00:00+00', NULL);
INSERT INTO refresh_tokens (token_hash, family, account_id, created_at, expires_at, used_at, revoked_at) VALUES
    ('b1946ac9', 'family-1', 1, '2026-11-01 08:00:00+00', '2026-12-01 08:00:00+00', '2026-11-02 08:00:00+00', NULL),
    ('591785b7', 'family-1', 1, '2026-11-02 08:00:00+00', '2026-12-02 08:00:00+00', NULL, '2026-11-03 08:00:00+00');
INSERT INTO api_keys (id, key_hash, prefix, name, account_id, roles, quota_per_minute, created_at, expires_at,
                      last_used_at, revoked_at) VALUES
    (1, '7c4a8d09', 'tk_abcde', 'partner', 1, '{editor}', 600, '2026-05-01 00:00:00+00', '2027-05-01 00:00:00+00',
     '2026-11-24 00:00:00+00', NULL),
    (2, 'ca3762af', 'tk_fghij', 'old partner', 1, '{ops}', NULL, '2026-02-01 00:00:00+00', NULL, NULL,
     '2026-03-01 00:00:00+00');

INSERT INTO audit_events (id, at, actor_kind, actor_id, actor_name, request_id, action, entity, entity_id, diff) VALUES
    (1, '2026-10-01 00:00:00+00', 'account', 1, 'سلمى', 'e3b0c442', 'program.publish', 'program', 1,
     '{"status": ["draft", "published"]}'),
    (2, '2026-10-02 00:00:00+00', 'system', NULL, 'thmanyah up', '', 'program.bulk', 'program', NULL, '{}');
INSERT INTO idempotency_keys (scope, key, request_hash, status, location, etag, body, created_at) VALUES
    ('account:1', 'create-1', 'aa11', 201, '/catalog/programs/1', '"1"', '\x7b7d', '2026-11-25 00:00:00+00'),
    ('account:1', 'create-2', 'bb22', NULL, NULL, NULL, NULL, '2026-11-25 00:00:01+00');

INSERT INTO categories (id, slug, name_ar, name_en, sort_order, is_active, rev, created_at, updated_at) VALUES
    (1, 'society', 'مجتمع', 'Society', 1, true, 4, '2026-01-01 00:00:00+00', '2026-06-01 00:00:00+00'),
    (2, 'history', 'تاريخ', 'History', 2, false, 1, '2026-01-01 00:00:00+00', '2026-01-01 00:00:00+00');
INSERT INTO series (id, slug, title, description, language, thumbnail_url, category_id, rev, created_at, updated_at) VALUES
    (1, 'قهوة-المساء', 'قهوة المساء', 'حديث كل مساء', 'ar', 'https://img.example.com/1.jpg', 1, 2,
     '2026-01-01 00:00:00+00', '2026-02-01 00:00:00+00'),
    (2, 'standalone', 'Standalone', '', 'en', NULL, NULL, 1, '2026-01-01 00:00:00+00', '2026-01-01 00:00:00+00');
INSERT INTO tags (id, slug, name, created_at) VALUES
    (1, 'قهوة', 'قهوة', '2026-01-01 00:00:00+00'), (2, 'epic', 'Epic', '2026-01-01 00:00:00+00');
INSERT INTO people (id, slug, name, created_at) VALUES
    (1, 'سلمان-الراشد', 'سلمان الراشد', '2026-01-01 00:00:00+00'), (2, 'david-lean', 'David Lean', '2026-01-01 00:00:00+00');

INSERT INTO engines (name, url, state, created_at) VALUES
    ('west', 'http://west.example.com:7700', 'draining', '2026-07-01 00:00:00+00');
INSERT INTO index_targets (id, engine, index_uid, state, settings_hash, settings_revision, epoch, heartbeat_at, created_at,
                           paused, paused_epoch, keep_until, filled, fill_marked_at) VALUES
    (2, 'west', 'programs', 'live', 'cafe', 7, 12, '2026-11-25 00:00:00+00', '2026-07-01 00:00:00+00', true, 12, NULL,
     false, '2026-11-24 00:00:00+00'),
    (3, 'west', 'programs_old', 'previous', 'beef', 6, 3, NULL, '2026-06-01 00:00:00+00', false, NULL,
     '2026-12-01 00:00:00+00', true, NULL),
    (4, 'west', 'programs_gone', 'retired', '', 0, 0, NULL, '2026-05-01 00:00:00+00', false, NULL, NULL, true, NULL);

INSERT INTO programs (id, slug, title, description, language, media_type, kind, duration_sec, release_date, media_url,
                      thumbnail_url, category_id, series_id, season, episode, is_featured, is_explicit, status,
                      scheduled_publish_at, expire_at, published_at, view_count, locked_fields, source_type, external_id,
                      content_hash, rev, created_at, updated_at, deleted_at) VALUES
    (1, 'المرأة-التي-سامحت', 'المرأة التي سامحت', 'فقدت أخاها في حادث', 'ar', 'audio', 'episode', 3461,
     '2024-01-23 00:00:00+00', 'https://cdn.example.com/1.mp3', 'https://img.example.com/p1.jpg', 1, 1, 1, 2, true, false,
     'published', NULL, '2030-01-01 00:00:00+00', '2026-10-01 00:00:00+00', 180321, '{title}', 'feed',
     'https://feeds.example.com/a#1', 'd41d', 5, '2026-01-05 00:00:00+00', '2026-10-01 00:00:00+00', NULL),
    (2, 'lawrence', 'Lawrence of Arabia', '', 'en', 'video', 'film', 13320, '1962-12-10 00:00:00+00', NULL, NULL, 2, NULL,
     NULL, NULL, false, true, 'scheduled', '2030-02-01 00:00:00+00', NULL, NULL, 0, '{}', NULL, NULL, NULL, 1,
     '2026-01-06 00:00:00+00', '2026-01-06 00:00:00+00', NULL),
    (3, 'withdrawn', 'Withdrawn', 'x', 'en', 'video', 'trailer', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, false, false,
     'archived', NULL, NULL, '2026-02-01 00:00:00+00', 99, '{}', 'youtube', 'abc', 'ff00', 9, '2026-01-07 00:00:00+00',
     '2026-03-01 00:00:00+00', '2026-03-02 00:00:00+00'),
    (4, 'draft', 'مسودة', '', 'ar', 'audio', 'documentary', 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, false, false, 'draft',
     NULL, NULL, NULL, 0, '{}', NULL, NULL, NULL, 1, '2026-01-08 00:00:00+00', '2026-01-08 00:00:00+00', NULL);
INSERT INTO program_tags (program_id, tag_id, position) VALUES (1, 1, 0), (2, 2, 1);
INSERT INTO program_people (program_id, person_id, role, position) VALUES (1, 1, 'host', 0), (2, 2, 'director', 1);
INSERT INTO program_slugs (slug, program_id, created_at) VALUES
    ('المرأة-التي-سامحت', 1, '2026-01-05 00:00:00+00'), ('an-older-address', 1, '2026-01-05 00:00:00+00');
INSERT INTO program_redirects (program_id, into_id, at) VALUES (3, 1, '2026-03-02 00:00:00+00');
INSERT INTO program_revisions (program_id, rev, action, actor, snapshot, at) VALUES
    (1, 4, 'edit', 'account:1', '{"title": "المرأة", "rev": 4}', '2026-09-01 00:00:00+00'),
    (1, 5, 'publish', 'account:1', '{"title": "المرأة التي سامحت", "rev": 5}', '2026-10-01 00:00:00+00');
INSERT INTO view_flushes (batch_id, at) VALUES ('0f343b09', '2026-11-25 00:00:00+00');

-- The triggers above marked program 1 for every target that is not retired; a mark that was refused is parked.
INSERT INTO index_dirty (target_id, program_id, rev, marked_at, attempts, next_at, error, parked) VALUES
    (1, 3, 9, '2026-11-25 00:00:00+00', 2, '2026-11-25 00:01:00+00', 'the engine refused the document', true);
INSERT INTO reindex_jobs (id, engine, state, reason, requested_by, settings_hash, settings_revision, live_target_id,
                          new_target_id, new_uid, new_marker, cursor, total, cancel_requested, force, detail, lease_token,
                          lease_until, created_at, started_at, filling_at, finished_at) VALUES
    (1, 'west', 'done', 'settings', 'account:1', 'cafe', 7, 3, 2, 'programs_new', '2026-07-01T00:00:00Z', 300, 300, false, true,
     NULL, NULL, NULL, '2026-07-01 00:00:00+00', '2026-07-01 00:00:01+00', '2026-07-01 00:00:02+00', '2026-07-01 00:01:00+00'),
    (2, 'default', 'filling', '', 'system', 'cafe', 7, 1, 2, NULL, NULL, 10, NULL, true, false, 'slow', 'token-1',
     '2026-11-25 00:00:30+00', '2026-11-25 00:00:00+00', '2026-11-25 00:00:00+00', NULL, NULL);
INSERT INTO drift_reports (id, target_id, state, requested_by, repair, checked, missing, stale, ghosts, repaired, samples,
                           detail, created_at, started_at, finished_at, lease_until) VALUES
    (1, 1, 'done', 'system', true, 300, 1, 2, 3, 6, '{"missing": [1]}', NULL, '2026-11-01 00:00:00+00',
     '2026-11-01 00:00:01+00', '2026-11-01 00:00:09+00', NULL),
    (2, 2, 'failed', 'account:1', false, 0, 0, 0, 0, 0, '{}', 'the engine is away', '2026-11-02 00:00:00+00',
     '2026-11-02 00:00:01+00', NULL, '2026-11-02 00:01:00+00');

INSERT INTO import_sources (id, kind, url, namespace, title, about, options, state, reason, interval_sec, next_at, etag,
                            last_modified, document_hash, failures, last_run_at, last_success_at, last_change_at, created_at)
VALUES
    (1, 'feed', 'https://feeds.example.com/a', 'https://feeds.example.com/a', 'قهوة', '{"author": "سلمان"}',
     '{"publish": true}', 'active', NULL, 1800.5, '2026-11-26 00:00:00+00', '"v1"', 'Mon, 23 Nov 2026 00:00:00 GMT', 'aaaa', 0,
     '2026-11-25 00:00:00+00', '2026-11-25 00:00:00+00', '2026-11-20 00:00:00+00', '2026-01-01 00:00:00+00'),
    (2, 'youtube', 'https://www.youtube.com/channel/UC1', 'UC1', '', '{}', '{}', 'paused', 'gone', 3600,
     '2026-11-26 00:00:00+00', NULL, NULL, NULL, 5, NULL, NULL, NULL, '2026-01-01 00:00:00+00');
INSERT INTO import_runs (id, source_id, parent_id, retry_of, documents_of, kind, url, file_name, namespace, options, dry_run,
                         trigger, status, fetched, cancel_requested, attempt, dispatched, next_at, lease_token, lease_until,
                         total, position, created, updated, unchanged, conflicts, skipped, failed, code, detail, actor_kind,
                         actor_id, actor_name, created_at, started_at, finished_at) VALUES
    (1, 1, NULL, NULL, NULL, 'feed', 'https://feeds.example.com/a', NULL, 'https://feeds.example.com/a', '{"publish": true}',
     false, 'schedule', 'succeeded', true, false, 1, 1, '2026-11-25 00:00:00+00', NULL, NULL, 6, 6, 1, 1, 1, 1, 1, 1, NULL,
     NULL, 'system', NULL, '', '2026-11-25 00:00:00+00', '2026-11-25 00:00:01+00', '2026-11-25 00:00:09+00'),
    (2, NULL, 1, 1, 1, 'csv', NULL, 'programs.csv', 'file', '{}', true, 'editor', 'running', true, true, 2, 3,
     '2026-11-25 00:00:00+00', 'token-2', '2026-11-25 00:01:00+00', NULL, 0, 0, 0, 0, 0, 0, 0, 'timeout', 'too slow', 'account',
     1, 'سلمى', '2026-11-25 00:00:00+00', '2026-11-25 00:00:01+00', NULL);
INSERT INTO import_documents (run_id, document, part, data, meta) VALUES
    (1, 0, 0, '\x1f8b08', '{"type": "application/rss+xml"}'), (1, 0, 1, '\x00ff', '{}');
INSERT INTO import_items (run_id, position, external_id, title, outcome, code, detail, program_id, errors, diff) VALUES
    (1, 0, 'https://feeds.example.com/a#1', 'المرأة التي سامحت', 'updated', NULL, NULL, 1, '[]',
     '{"title": ["المرأة", "المرأة التي سامحت"]}'),
    (1, 1, NULL, '', 'failed', 'invalid', 'no title', NULL, '[{"field": "title", "code": "required"}]', '{}');
INSERT INTO imported_programs (program_id, content_hash, "values", extra) VALUES
    (1, 'd41d', '{"title": "المرأة التي سامحت"}', '{"chapters": "https://feeds.example.com/a/1.json"}');
INSERT INTO import_quota (service, day, spent) VALUES ('youtube', '2026-11-25', 120);

INSERT INTO merge_proposals (id, program_id, other_id, reasons, state, kept_id, decided_by, decided_at, created_at) VALUES
    (1, 1, 3, '{"released": 0, "duration": 2}', 'merged', 1, 'account:1', '2026-03-02 00:00:00+00', '2026-03-01 00:00:00+00'),
    (2, 2, 4, '{}', 'open', NULL, NULL, NULL, '2026-03-03 00:00:00+00');
