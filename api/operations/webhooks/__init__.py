"""Webhooks: operators' routes, and the jobs that send messages.

`delivering` reads the journal and sends what it says to the endpoints' servers, `sending` is one request to one of them.
"""
