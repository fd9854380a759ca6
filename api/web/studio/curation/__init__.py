"""The studio's pages of curation, under /studio/curation: collections, pins, synonyms, and what listeners search for."""
