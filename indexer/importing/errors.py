"""How an import can fail: each way has a stable code that runs, sources and pages show."""


class ImportFailed(Exception):
    """The whole run (or one document) cannot be carried out. `retryable`: it may work later.
    `after`: seconds to wait before that, if somebody said."""

    def __init__(
        self, code: str, detail: str, *, retryable: bool = False, after: float | None = None
    ) -> None:
        super().__init__(detail)
        self.code, self.detail, self.retryable = code, detail, retryable
        self.after = after


class FetchError(ImportFailed):
    """A document could not be had."""


class QuotaExhausted(ImportFailed):
    """Nothing is left of a daily quota: the run waits for the next day, and that is no attempt."""

    def __init__(self, detail: str, after: float) -> None:
        super().__init__("quota_exhausted", detail, retryable=True, after=after)
