"""Tests of catalog.accounts."""
