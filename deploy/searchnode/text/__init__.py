"""Text as words: scripts and languages, cutting into tokens, folding. The index and the query use it."""
