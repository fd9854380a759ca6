"""Tests of deploy/proving."""
