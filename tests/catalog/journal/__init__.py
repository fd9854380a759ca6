"""Tests of `catalog.journal`."""
