"""Editors' routes for what they curate: collections, pins and synonyms."""
