-- Marks by the triggers, one program counted.

INSERT INTO vocabulary_marks (program_id, seq) VALUES (3, nextval('vocabulary_seq')) ON CONFLICT DO NOTHING;
INSERT INTO vocabulary_programs (program_id, words) VALUES (1, '{التي,المراه,سامحت,مراه}');
INSERT INTO vocabulary (word, programs, sounds) VALUES ('المراه', 1, '{2003,64111}'), ('سامحت', 1, '{80431}');
UPDATE vocabulary_state SET version = 1;
