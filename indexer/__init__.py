"""Makes the catalogue searchable: documents, the sender, the engine, background jobs."""
