"""Facets of an answer: `counting` asks an engine what a page does not count, `labels` names categories and series."""
