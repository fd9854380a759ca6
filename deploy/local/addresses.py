"""Where the servers of a home listen, so that commands typed beside `thmanyah up` find them."""

from deploy.local.home import Home, default_folder


def variables() -> dict[str, str]:
    """Return the variables that name the servers which `thmanyah up` started last; none where it never ran."""
    folder = default_folder()
    if not (folder / "ports.json").exists():
        return {}
    try:
        from deploy.local.servers import postgres, valkey
        from deploy.local.stack import DATABASE
    except ModuleNotFoundError:
        # An installation without the local servers has started none of them.
        return {}

    home = Home(folder)
    ports = home.ports()
    found = {}
    if "postgres" in ports:
        found["DATABASE_URL"] = postgres.url(ports["postgres"], DATABASE)
    if "valkey" in ports:
        found |= valkey.addresses(ports["valkey"], "worker", home.secrets())
    if "engine" in ports:
        found["MEILI_URL"] = f"http://127.0.0.1:{ports['engine']}"
        found["MEILI_KEY"] = home.secrets()["masterKey"]
    return found
