"""Fetches documents from servers that nobody vouches for.

`Fetcher` (fetcher.py) asks `Guard` (address.py) which IP addresses a URL may be fetched from, connects to
exactly those (connections.py), stops at the deadline (deadline.py), reads the body within its limits
(body.py) and explains what went wrong (failures.py). The adapters in `importing.sources` call it.
"""
