"""The addresses of the pages of a language."""

from collections.abc import Mapping
from urllib.parse import quote, urlencode


class Links:
    """Makes addresses below /ar or /en."""

    def __init__(self, language: str) -> None:
        """Take the code of a language."""
        self.home = f"/{language}"

    def page(self, *parts: str, **parameters: object) -> str:
        """Return the address of a page.

        Args:
            *parts: The parts of the path.
            **parameters: The query string; what is None is left out, several values are repeated.
        """
        path = "/".join((self.home, *(quote(part, safe="/") for part in parts)))
        return path + query(parameters)

    def search(self, **parameters: object) -> str:
        """Return the address of the results of a search."""
        return self.page("search", **parameters)

    def program(self, slug: str, program_id: int) -> str:
        """Return the address of a program. An address of digits alone is an id, so such a slug is not used."""
        return self.page("programs", str(program_id) if slug.isdigit() else slug)

    def series(self, slug: str) -> str:
        """Return the address of a series."""
        return self.page("series", slug)

    def collection(self, slug: str) -> str:
        """Return the address of a collection."""
        return self.page("collections", slug)

    def category(self, slug: str) -> str:
        """Return the address of a category."""
        return self.page("categories", slug)

    def person(self, name: str) -> str:
        """Return the address of a person."""
        return self.page("people", name)

    def tag(self, name: str) -> str:
        """Return the address of a tag."""
        return self.page("tags", name)


def query(parameters: Mapping[str, object]) -> str:
    """Return a query string with its question mark; empty when every value is None or has no values."""
    given = urlencode({name: value for name, value in parameters.items() if value is not None}, doseq=True)
    return f"?{given}" if given else ""
