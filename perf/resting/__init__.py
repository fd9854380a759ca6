"""What a product that nobody asks takes: processor time, memory, and its start. `python -m perf.resting`."""
