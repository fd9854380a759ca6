"""Editors' lists of programs in every state: filters, orders, search, counts.

`filters` what a list is narrowed to · `orders` what it is sorted by · `statements` pages and counts · `marks` what a row
says beside its program · `models` which programs were changed since they were published.
"""
