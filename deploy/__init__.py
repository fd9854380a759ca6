"""How the product is run: the `thmanyah` command, the local stack, the search node, Docker, Prometheus.

`cli.py` lists every command, `background.py` every periodic job; `install.py` is what `make setup` runs.
"""
