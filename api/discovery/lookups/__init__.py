"""Lookups of programs, series and categories in the replica of PostgreSQL.

`api.discovery.routes` calls them through the cache. `warm` stores the most viewed programs in Redis in advance.
"""
