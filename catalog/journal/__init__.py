"""The journal: what listeners saw published, changed and withdrawn.

Triggers mark programs, `entries` gives them positions in the order of commits, `queries` reads them for the feed of
changes and for webhooks. Decision 22 has the reasons.
"""
