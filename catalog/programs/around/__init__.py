"""Statements for ways on: what is related to a program, what is viewed lately, a program by chance.

`trends` also writes the sums of what is viewed lately; the flush of the counted views (`indexer.jobs.views`) calls it.
"""
