"""Facets of an answer: how many programs have each value, and what the values are called.

`counting` asks an engine what a page does not count, `labels` names categories and series, `ranges` has the facets of
durations and years.
"""
