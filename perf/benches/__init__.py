"""Measurements, each with a target of the Makefile: `make bench-…`."""
