"""Tests of the load and of what it reports."""
