"""Carries out import runs: claims a run, calls its adapter, writes the rows in batches, ends the run.

`job.py` is the queue's side, `waiting.py` the sweep's; `runner.py` carries the run out.
"""
