"""Search engines: documents, settings, writes, searches, and which engines and indexes there are.

The API may use all of it.
"""
