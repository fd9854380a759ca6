"""How an import can fail. Every failure has a stable code that runs, sources and docs/imports.md show.

Raised by `fetching`, `reading` and `sources`; `running.runner` writes it to the run.
"""


class ImportFailed(Exception):
    """The run, or one of its documents, cannot be imported."""

    def __init__(
        self, code: str, detail: str, *, retryable: bool = False, retry_after: float | None = None
    ) -> None:
        """Describe the failure.

        Args:
            code: Stable name of the failure, for programs.
            detail: One sentence for editors.
            retryable: Whether a later attempt may succeed.
            retry_after: Seconds that the other side asked us to wait; None when it did not say.
        """
        super().__init__(detail)
        self.code, self.detail, self.retryable = code, detail, retryable
        self.retry_after = retry_after


class FetchError(ImportFailed):
    """A document could not be fetched."""


class QuotaExhausted(ImportFailed):
    """The service's daily quota is spent. The run waits for the next day; no attempt is counted."""

    def __init__(self, detail: str, retry_after: float) -> None:
        super().__init__("quota_exhausted", detail, retryable=True, retry_after=retry_after)
