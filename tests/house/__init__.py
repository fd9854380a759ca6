"""Tests of the repository itself: its documents, names and rules, not its behaviour."""
