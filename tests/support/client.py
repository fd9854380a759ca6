"""An HTTP client of the product."""

from typing import Any

import requests


class Client:
    """One client's connections to one API: its base address, and headers that every request sends."""

    def __init__(self, base: str, **headers: str) -> None:
        self.base = base
        self.session = requests.Session()
        # No proxies: looking for them in the environment is a third of a request's processor time.
        self.session.trust_env = False
        self.session.headers.update(headers)

    def ask(self, method: str, path: str, **arguments: Any) -> requests.Response:
        """Send a request; `arguments` are those of requests.Session.request."""
        return self.session.request(method, self.base + path, timeout=60, allow_redirects=False, **arguments)

    def get(self, path: str, **params: Any) -> requests.Response:
        """Send a GET; `params` become the query string."""
        return self.ask("GET", path, params=params)

    def post(self, path: str, body: Any = None, **headers: str) -> requests.Response:
        """Send a POST with a JSON body."""
        return self.ask("POST", path, json=body, headers=headers)

    def patch(self, path: str, body: Any = None, **headers: str) -> requests.Response:
        """Send a PATCH with a JSON body."""
        return self.ask("PATCH", path, json=body, headers=headers)

    def put(self, path: str, body: Any = None, **headers: str) -> requests.Response:
        """Send a PUT with a JSON body."""
        return self.ask("PUT", path, json=body, headers=headers)

    def delete(self, path: str, **headers: str) -> requests.Response:
        """Send a DELETE."""
        return self.ask("DELETE", path, headers=headers)
