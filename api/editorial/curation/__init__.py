"""Editors' routes for what they curate: collections."""
