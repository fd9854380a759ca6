"""Where the stack of this folder listens: commands find it without being told."""

import os
from pathlib import Path

from deploy.local.home import FOLDER, Home


def addresses() -> dict[str, str]:
    """Variables for the servers that `thmanyah up` started from here; none where it never ran."""
    given = os.environ.get("THMANYAH_HOME")
    folder = Path(given) if given else Path.cwd() / FOLDER
    if not (folder / "ports.json").exists():
        return {}
    # Not before: an installation without the local servers cannot import these.
    from deploy.local import postgres, valkey
    from deploy.local.stack import DATABASE

    home = Home(folder)
    ports = home.read("ports")
    found = {}
    if "postgres" in ports:
        found["DATABASE_URL"] = postgres.url(ports["postgres"], DATABASE)
    if "valkey" in ports:
        found["REDIS_CACHE_URL"] = valkey.url(ports["valkey"], valkey.CACHE_DB)
        found["REDIS_QUEUE_URL"] = valkey.url(ports["valkey"], valkey.QUEUE_DB)
    if "engine" in ports:
        found["MEILI_URL"] = f"http://127.0.0.1:{ports['engine']}"
        found["MEILI_KEY"] = home.secrets()["masterKey"]
    return found
