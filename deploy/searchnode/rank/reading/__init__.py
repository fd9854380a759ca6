"""Reads a query: its text as terms, what each term may stand for, and the graph of all readings."""
