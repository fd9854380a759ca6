"""Editors' routes for what they curate: collections, pins and synonyms, and a preview of what listeners would find."""
