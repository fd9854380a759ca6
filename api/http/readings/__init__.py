"""How a query that finds too little is read otherwise, and which of its readings answers.

`fit` says how well a program fits some words · `choosing` chooses among a query and its readings. Listeners' search
asks an engine by it (`api.discovery.searching.ladder`), editors' lists ask PostgreSQL (`api.editorial.listing.search`).
"""
