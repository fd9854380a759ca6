"""Webhooks: the endpoints that are told of changes, how far each has come in the journal, and what was sent to it.

`endpoints` has what operators do, `deliveries` what the sending job does. Decision 23 has the reasons.
"""
