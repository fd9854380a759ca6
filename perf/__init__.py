"""Measurements of the running product, a module each (`make bench` and the other `make bench-...` targets).

No module of the product and no test imports them.
"""
