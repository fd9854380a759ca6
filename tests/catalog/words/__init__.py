"""Tests of `catalog.words`."""
