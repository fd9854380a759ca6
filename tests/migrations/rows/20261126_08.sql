INSERT INTO pins (query, folded, starts_at, ends_at) VALUES
    ('قهوة المساء', 'قهوه المساء', '2026-11-01 00:00:00+00', '2026-12-01 00:00:00+00');
INSERT INTO pin_programs (pin_id, program_id, place) SELECT id, 1, 2 FROM pins WHERE query = 'قهوة المساء';
