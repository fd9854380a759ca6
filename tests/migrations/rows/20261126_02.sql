UPDATE imported_programs SET raw_hash = 'd41e' WHERE program_id = 1;
