"""Routes under /catalog, which editors use: programs and their revisions, taxonomy, merge proposals, imports.

Each route checks the request, calls `catalog` in one transaction and answers with the row as it is after the commit.
"""
