"""Routes under /accounts: sign-in and tokens, API keys, and the accounts that admins manage. `api.app` serves them."""
