UPDATE accounts SET reset_hash = '9f86d081', reset_expires_at = '2026-11-27 08:00:00+00' WHERE id = 1;
