"""How an import can fail: each way has a stable code that runs, sources and pages show."""


class ImportFailed(Exception):
    """The whole run (or one document) cannot be carried out. `retryable`: it may work later."""

    def __init__(self, code: str, detail: str, *, retryable: bool = False) -> None:
        super().__init__(detail)
        self.code, self.detail, self.retryable = code, detail, retryable


class FetchError(ImportFailed):
    """A document could not be had. `after`: seconds the server asked us to wait."""

    def __init__(
        self, code: str, detail: str, *, retryable: bool = False, after: float | None = None
    ) -> None:
        super().__init__(code, detail, retryable=retryable)
        self.after = after
