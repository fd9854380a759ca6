INSERT INTO webhook_endpoints (url, event_types, state, disabled_reason, nonce, fingerprint, old_nonce, old_until, position,
        attempts, failing_since, lease_token, lease_until)
    VALUES ('https://example.com/hook', '{program.published}', 'disabled', 'failures', 'a1', 'f1', 'a0', now(), 2,
        3, now(), 't', now());
INSERT INTO webhook_deliveries (endpoint_id, kind, message_id, event_type, program_id, state, started_at, status, error, body, duration_ms)
    VALUES (1, 'event', 'msg_1', 'program.published', 1, 'failed', now(), 500, 'refused', 'no', 12);
