"""The catalogue in PostgreSQL: its tables, the rules of every change, and the marks for the search indexes.

It uses no HTTP, no Redis and no search engine. `core` is below every room; pyproject.toml has the layers.
"""

# The only place of the version: the distribution, `thmanyah --version`, the OpenAPI document and the name under
# which imports ask servers read it; a test compares the image tag of docker-compose.yml and CHANGELOG.md with it.
__version__ = "0.1.0"
