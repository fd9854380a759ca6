"""What each address does. Every module has a list `ROUTES`; `app.py` puts them together."""
