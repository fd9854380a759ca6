"""Measurements on a cluster of `deploy/proving` under load: faults, an upgrade, and what is exact across processes."""
