"""Accounts of people, their sessions and their API keys.

`credentials` checks and hashes · `lifecycle` accounts · `sessions` refresh tokens · `keys` API keys · `idempotency`
answers to requests that may come twice. Callers: `api/accounts/`, `api/http/`, `thmanyah user`,
`deploy/local/prepare.py`.
"""
