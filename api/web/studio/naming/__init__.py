"""The studio's pages of names, under /studio/names: series, categories, tags and people, and what a change of one affects."""
