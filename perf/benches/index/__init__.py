"""What comes into the catalogue and its index, and how it is found there: imports, lag, rebuilds, audits, searches."""
