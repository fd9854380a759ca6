"""Tests of indexer.engines."""
