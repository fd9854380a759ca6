"""What a sender sends: batches of documents, how caches are told of them, and what happens to a document that fails its batch."""
