"""Grafana's boards, written in Python: `python -m deploy.observability.boards` writes them into grafana/*.json.

`contents.py` has the boards as tables of panels; `building.py` makes Grafana's objects of them.
"""
