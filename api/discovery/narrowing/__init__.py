"""What lists of programs are narrowed by: `filters`, and the `ranges` of durations and years that facets count."""
