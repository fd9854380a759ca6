"""Accounts of people, their sessions and their API keys.

`credentials` checks and hashes · `lifecycle` accounts · `sessions` refresh tokens · `keys` API keys. Callers:
`api/accounts/`, `api/http/auth.py`, `thmanyah user`, `deploy/local/prepare.py`.
"""
