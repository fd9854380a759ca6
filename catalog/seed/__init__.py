"""Programs to begin with: a demo catalogue, and generated catalogues of any size for measurements.

`demo` loads the texts of `data/` · `generator` makes programs out of the vocabulary of `words` · `loading` streams
them into PostgreSQL. Callers: `thmanyah seed`, `deploy/local/prepare.py`, `perf/`, tests.
"""
