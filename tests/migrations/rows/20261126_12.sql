INSERT INTO journal_marks (program_id) VALUES (3);
INSERT INTO journal (position, program_id, type) VALUES
    (nextval('journal_seq'), 1, 'published'), (nextval('journal_seq'), 2, 'withdrawn'), (nextval('journal_seq'), 1, 'changed');
UPDATE journal_state SET floor = 0;
