INSERT INTO journal_marks (program_id) VALUES (3);
INSERT INTO journal (program_id, position, is_visible, shown_since, at) VALUES
    (1, nextval('journal_seq'), true, 1, now()),
    (2, nextval('journal_seq'), false, 1, now());
UPDATE journal_state SET floor = 0;
