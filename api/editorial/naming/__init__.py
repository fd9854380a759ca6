"""Editors' routes for tags and people: list, create, rename, merge, delete, and what each of these affects."""
