"""What listeners search for: one row for each day, language and query that enough of them asked.

The scheduler's clock adds what API processes counted (`rollup`), operators read it (`queries`). A row without a query has
the sums of its language and day, in which every search is.
"""
