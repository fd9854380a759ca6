"""Editors' routes for what they curate: collections and pins."""
