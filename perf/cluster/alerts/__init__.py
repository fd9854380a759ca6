"""`make cluster-alerts`: every alert fires from a fault that is real, and clears when it is mended."""
