"""The journal: what listeners saw change, each program once, at the position of its last change.

Triggers mark programs, `entries` gives them positions in the order of commits, `queries` reads them for the feed of
changes and for webhooks. Decision 22 has the reasons.
"""
