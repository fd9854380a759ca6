"""The adapter of RSS and Atom feeds with their podcast extensions.

Each page of a feed (RFC 5005) is one stored document. `feeds` reads a page.
"""

import hashlib
from collections.abc import Iterator
from datetime import datetime

from catalog.imports.leases import MAX_ATTEMPTS
from catalog.imports.models import DocumentMeta
from catalog.imports.writing.rows import Row
from indexer.importing.errors import ImportFailed
from indexer.importing.fetching.fetcher import Fetched
from indexer.importing.sources.base import ImportContext
from indexer.importing.sources.feeds import moving
from indexer.importing.sources.feeds.pages import MAX_KEPT, Page
from indexer.importing.sources.feeds.remote import RemotePages

ACCEPT = "application/rss+xml, application/atom+xml, application/xml;q=0.9, text/xml;q=0.8, */*;q=0.1"


class FeedSource:
    """Feeds, page by page."""

    source_type = "feed"

    def fetch(self, context: ImportContext) -> None:
        """Fetch and store the first page and the pages behind it, at most `max_pages`.

        A refresh reads on only as long as every item of a page is new. A page behind the first one that cannot
        be read ends the list: what was read so far is imported, and the run says `partial`.

        Raises:
            ImportFailed: The first page cannot be read, or a later one may be readable at the next attempt.
        """
        pages = context.stored()
        seen = {context.run.url, *(meta.get("url") for _, meta in pages)}
        if pages:
            number, url = pages[-1][0] + 1, pages[-1][1].get("next")
        else:
            number, url = 1, self._first_page(context)
        while url and url not in seen and number < context.settings.max_pages:
            seen.add(url)
            try:
                fetched = context.fetcher.fetch(url, max_bytes=context.settings.max_feed_bytes, accept=ACCEPT)
                url = self._store_page(context, number, fetched)
            except ImportFailed as error:
                if error.retryable and context.run.attempt < MAX_ATTEMPTS:
                    raise
                _broken_off(context, f"Page {number + 1} of the feed ({url}): {error.detail}")
                return
            number += 1
        if url and url in seen:
            _broken_off(context, f"Page {number} of the feed leads back to {url}.")
        elif url:
            context.remark, context.remark_detail = "too_many_pages", None

    def _first_page(self, context: ImportContext) -> str | None:
        if context.run.url is None:
            return None
        last = context.last_refresh
        fetched = context.fetcher.fetch(
            context.run.url,
            max_bytes=context.settings.max_feed_bytes,
            accept=ACCEPT,
            etag=last.etag,
            last_modified=last.last_modified,
        )
        if fetched.not_modified:
            # The server knows our copy: it is the same feed at its new address.
            context.facts["moved_to"] = fetched.moved_to
            context.remark = "not_modified"
            return None
        document_hash = hashlib.blake2b(fetched.body, digest_size=16).hexdigest()
        context.facts |= {
            "etag": fetched.etag,
            "last_modified": fetched.last_modified,
            "document_hash": document_hash,
        }
        if document_hash == last.document_hash:
            context.facts["moved_to"] = fetched.moved_to
            context.remark = "not_modified"
            return None
        return self._store_page(context, 0, fetched)

    def _store_page(self, context: ImportContext, number: int, fetched: Fetched) -> str | None:
        """Store the page; return the address of the page behind it."""
        pages = RemotePages(context)
        page = pages.load(number, fetched.body, fetched.content_type, fetched.url)
        following = page.channel.next_url
        if number == 0:
            if fetched.moved_to:
                moving.check_redirect(context, pages, fetched.moved_to, page)
            moving.check_new_url(context, pages, page, ACCEPT)
        since = context.last_refresh.succeeded_at
        if (
            context.run.trigger == "schedule"
            and since is not None
            and not _all_new(pages.dates(number), since)
        ):
            # The pages behind this one were read by the refresh before.
            following = None
        meta: DocumentMeta = {
            "url": fetched.url,
            "contentType": fetched.content_type,
            "next": following,
            "ids": page.ids(),
        }
        context.store(number, fetched.body, meta)
        context.keep(number, page, len(fetched.body), MAX_KEPT)
        return following

    def count(self, context: ImportContext) -> int | None:
        """Return None: counting would parse every page."""
        return None

    def rows(self, context: ImportContext) -> Iterator[Row]:
        """Yield the items in document order, page after page. The writer reads those that differ whole.

        Raises:
            ImportFailed: As `RemotePages.load`.
        """
        before = 0
        pages = RemotePages(context)
        stored = context.stored()
        present = {item for _, meta in stored for item in meta.get("ids", ())}
        for number, meta in stored:
            page = context.take(number)
            if not isinstance(page, Page) or not pages.has(number):
                base = meta.get("url") or context.run.url or ""
                with context.open(number) as stream:
                    page = pages.load(number, stream.read(), meta.get("contentType") or "", base)
            if number == 0:
                context.facts |= {"about": page.channel.about(), "title": page.channel.title}
            if "ids" not in meta:
                # An uploaded feed, whose ids nobody has read yet.
                present |= set(page.ids())
            context.present = frozenset(present)
            reader = pages.reader(number, before, len(page.begun))
            for row in page.begun:
                row.position += before
                row.reader = reader
                yield row
            before += len(page.begun)


def _broken_off(context: ImportContext, detail: str) -> None:
    """End the list here, and let the next refresh read all of it again."""
    context.remark, context.remark_detail = "partial", detail
    context.facts |= {"etag": None, "last_modified": None, "document_hash": None}


def _all_new(moments: list[datetime | None], since: datetime) -> bool:
    """Whether every item of the page is later than the last refresh: then the next page may have new ones."""
    return bool(moments) and all(at is not None and at > since for at in moments)
