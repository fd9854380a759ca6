"""What every group of routes shares: requests, errors, authentication, parameters, rate limits, transactions, replies.

Nothing here knows a group of routes.
"""
