"""Brings programs in from feeds, channels and files: fetch, read, compare, write, resume."""
