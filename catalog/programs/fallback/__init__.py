"""Finding programs with PostgreSQL alone, for searches that no search engine answers.

`words` reads a query, `conditions` turns words into SQL, `statements` are the questions that the API asks
(`api/discovery/searching/fallback.py`). The answers are worse than an engine's, and every statement is bounded: it reads
index entries of the words and a limited number of rows. docs/architecture.md says which.
"""
