"""Which documents a query finds and in what order: bucket sort by Meilisearch's ranking rules."""
