"""Catalogues to try the product with: a small one written by hand, and a generator for large ones."""
