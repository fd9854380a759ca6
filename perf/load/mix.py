"""What listeners ask for: words of both languages, the popular ones first, and the ids that a cluster has."""

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import quote

import requests

from catalog.seed import words

WORDS = [
    quote(word) for pair in zip(words.arabic()[:400], words.english()[:400], strict=True) for word in pair
]
_CLIENTS = 20_000
_PAGES = 4
_ASKERS = 6


def forwarded() -> dict[str, str]:
    """Return the header by which a balancer before the edge names a client by chance; other edges replace it."""
    client = random.randrange(_CLIENTS)
    return {"X-Forwarded-For": f"10.{client >> 16}.{client >> 8 & 255}.{client & 255}"}


def ids(read: Callable[[str], Any]) -> tuple[list[int], list[int]]:
    """Return the ids of categories, and of the newest programs.

    Args:
        read: Asks for an address and returns the answer's JSON.
    """
    categories = [row["id"] for row in read("/discovery/categories")["data"]]
    cursor, programs = "", []
    for _ in range(_PAGES):
        page = read(f"/discovery/browse?limit=100{cursor}")
        programs += [row["id"] for row in page["data"]]
        if not page["meta"].get("nextCursor"):
            break
        cursor = f"&cursor={quote(page['meta']['nextCursor'])}"
    return categories, programs


def warm(url: str) -> int:
    """Ask once for everything that is asked for later, so that a short load meets caches as a long one does.

    Args:
        url: The cluster.

    Returns:
        How many addresses were asked for.
    """
    with requests.Session() as session:
        adapter = requests.adapters.HTTPAdapter(pool_maxsize=_ASKERS)
        for scheme in ("http://", "https://"):
            session.mount(scheme, adapter)

        def read(path: str) -> Any:
            answer = session.get(url + path, headers=forwarded(), timeout=30)
            answer.raise_for_status()
            return answer.json()

        categories, programs = ids(read)
        paths = [f"/discovery/search?q={word}" for word in WORDS]
        paths += [f"/discovery/browse?categoryId={one}" for one in categories]
        paths += [f"/discovery/programs/{one}" for one in programs]
        with ThreadPoolExecutor(_ASKERS) as askers:
            list(askers.map(read, paths))
    return len(paths)
