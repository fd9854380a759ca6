INSERT INTO pending_revisions (entity, entity_id, state, base_rev, base, changes, authors, comment) VALUES
    ('program', 1, 'in_review', 5, '{"title": "المرأة التي سامحت"}', '{"title": "المرأة"}', '{account:editor@example.com}', NULL),
    ('series', 1, 'draft', 1, '{"title": "قهوة المساء"}', '{"title": "قهوة"}', '{account:editor@example.com}', 'اسم قصير');
