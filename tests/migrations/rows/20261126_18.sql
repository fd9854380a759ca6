INSERT INTO former_slugs (kind, slug, row_id) VALUES ('tag', 'coffee', 1);
