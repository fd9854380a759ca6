"""The search node: a small server that speaks Meilisearch's HTTP API, for laptops and tests."""
