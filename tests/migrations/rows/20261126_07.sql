INSERT INTO collections (slug, title_ar, title_en, description_ar, description_en, image_url, sort_order, status, starts_at, ends_at) VALUES
    ('ramadan', 'حكايات رمضان', 'Ramadan stories', 'لليالي الشهر', 'For the nights of the month', 'https://media.example/ramadan.jpg', 1, 'published', '2026-02-18 00:00:00+00', '2027-03-20 00:00:00+00');
INSERT INTO collection_programs (collection_id, program_id, position) SELECT id, 1, 0 FROM collections WHERE slug = 'ramadan';
