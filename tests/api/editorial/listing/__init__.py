"""Tests of `api.editorial.listing`."""
