"""Looks up which documents have which word, and where, among the documents that still matter."""
