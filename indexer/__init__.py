"""Makes the catalogue searchable: engines, the sender, rebuilds, imports and background jobs.

The rooms and what they may import: see docs/architecture.md.
"""
