"""Faults of every part and of every line between parts, and what holds in spite of them."""
