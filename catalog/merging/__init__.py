"""Merging: two programs of different sources that may be the same.

An import proposes pairs; an editor merges a pair or keeps it apart.

`lifecycle` decides proposals, `joining` makes two programs one, `queries` finds and lists pairs.
"""
