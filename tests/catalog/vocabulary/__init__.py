"""Tests of `catalog.vocabulary`."""
