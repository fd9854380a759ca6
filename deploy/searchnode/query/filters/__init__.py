"""Meilisearch's filter language: reads a filter as a tree, and finds the documents it lets through."""
