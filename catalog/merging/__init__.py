"""The same program from two sources: proposed, then merged by an editor or left as two."""
