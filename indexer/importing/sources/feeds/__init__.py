"""Reads one page of a feed: each field from the first element that has it, as podcast apps do.

`document` finds the channel and its items · `channel` what holds for every item · `items` an item as a row ·
`media` what of an item an app would play · `podcast` the Podcasting 2.0 elements. `sources.feed` calls them.
"""
