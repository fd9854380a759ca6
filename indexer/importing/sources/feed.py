"""RSS and Atom feeds with their podcast extensions, as podcast directories read them."""

import hashlib
import io
import warnings
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from urllib.parse import urljoin

import feedparser

from catalog.imports.rows import Row
from indexer.importing import dates, values
from indexer.importing.errors import ImportFailed
from indexer.importing.fetch import Fetched
from indexer.importing.markup import tidy
from indexer.importing.sources import podcast
from indexer.importing.sources.base import Work
from indexer.importing.sources.feed_items import Channel, row

ACCEPT = "application/rss+xml, application/atom+xml, application/xml;q=0.9, text/xml;q=0.8, */*;q=0.1"  # fmt: skip


class FeedSource:
    """A feed, page by page."""

    source_type = "feed"

    def fetch(self, work: Work) -> None:
        """Fetch the first page, then the ones it leads to (RFC 5005) unless it is a refresh."""
        kept = work.documents()
        seen = {work.run.url, *(meta.get("url") for _, meta in kept)}
        if kept:
            number, url = kept[-1][0] + 1, kept[-1][1].get("next")
        else:
            number, url = 1, self._first(work)
        while url and url not in seen and number < work.settings.max_pages:
            seen.add(url)
            fetched = work.fetcher.fetch(url, max_bytes=work.settings.max_feed_bytes, accept=ACCEPT)
            url = self._keep(work, number, fetched)
            number += 1
        if url and url not in seen:
            work.facts["outcome"] = "too_many_pages"

    def _first(self, work: Work) -> str | None:
        if work.run.url is None:
            return None
        fetched = work.fetcher.fetch(
            work.run.url,
            max_bytes=work.settings.max_feed_bytes,
            accept=ACCEPT,
            etag=work.validators[0],
            last_modified=work.validators[1],
        )
        work.facts["moved_to"] = fetched.moved_to
        if fetched.not_modified:
            work.facts["not_modified"] = True
            return None
        work.facts |= {"etag": fetched.etag, "last_modified": fetched.last_modified}
        work.facts["document_hash"] = hashlib.blake2b(fetched.body, digest_size=16).hexdigest()
        if work.facts["document_hash"] == work.facts.get("held_hash"):
            work.facts["not_modified"] = True
            return None
        return self._keep(work, 0, fetched)

    def _keep(self, work: Work, number: int, fetched: Fetched) -> str | None:
        """Keep the page; returns the address of the one behind it."""
        parsed = parse(tidy(fetched.body, fetched.content_type))
        following = _next(parsed, fetched.url)
        if work.run.trigger == "schedule" and not _all_new(
            parsed, work.facts.get("last_success_at")
        ):
            # A refresh reads as far as there is something new: the rest was read before.
            following = None
        meta = {"url": fetched.url, "contentType": fetched.content_type, "next": following}
        work.keep(number, fetched.body, meta)
        return following

    def count(self, work: Work) -> int | None:
        """Every page is parsed for it, so not before they are read."""
        return None

    def rows(self, work: Work) -> Iterator[Row]:
        """Items in document order, page after page."""
        position = 0
        for number, meta in work.documents():
            with work.open(number) as stream:
                body = tidy(stream.read(), str(meta.get("contentType") or ""))
            parsed = parse(body)
            channel_extension, extensions = podcast.read(body)
            if len(extensions) != len(parsed.entries):
                # The two readers saw different documents: do not guess which item is which.
                extensions = [podcast.Extension() for _ in parsed.entries]
            base = str(meta.get("url") or work.run.url or "")
            channel = Channel.of(parsed, channel_extension, base)
            if number == 0:
                work.facts["about"] = channel.about()
                work.facts["title"] = channel.title
                moved = values.address(parsed.feed.get("itunes_new-feed-url"))
                if moved and moved != work.run.url:
                    # Where it moved to, nothing of this answer is known.
                    work.facts |= {"moved_to": moved, "etag": None, "last_modified": None}
            for entry, extension in zip(parsed.entries, extensions, strict=True):
                position += 1
                yield row(position, entry, extension, channel, work.run.namespace, work.options)


def parse(body: bytes) -> Any:
    """The parsed feed of a tidy document. Raises ImportFailed (`empty_document`, `not_a_feed`).

    Nothing is resolved against the feed's address: an item's guid must not change when the feed moves.
    """
    if not body.strip():
        raise ImportFailed("empty_document", "The document is empty.")
    headers = {"content-type": "application/xml; charset=utf-8"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            parsed = feedparser.parse(
                io.BytesIO(body), response_headers=headers, sanitize_html=False, resolve_relative_uris=False
            )  # fmt: skip
        except Exception as error:
            # A parser of strangers' documents may stumble; that is their feed's fault, not ours.
            raise ImportFailed("not_a_feed", "The document cannot be read as a feed.") from error
    if not parsed.version and not parsed.entries:
        if b"<html" in body[:2000].lower():
            raise ImportFailed("not_a_feed", "The document is a web page, not a feed.")
        raise ImportFailed("not_a_feed", "The document is not an RSS or Atom feed.")
    return parsed


def _all_new(parsed: Any, since: datetime | None) -> bool:
    """Is every item of the page later than the last refresh? Then the page behind it may have more."""
    if since is None:
        return True
    given = [dates.moment(e.get("published") or e.get("updated") or "") for e in parsed.entries]
    return bool(given) and all(at is not None and at > since for at in given)


def _next(parsed: Any, url: str) -> str | None:
    links = {
        str(link.get("rel")): link.get("href")
        for link in parsed.feed.get("links", [])
        if link.get("href")
    }
    found = links.get("next") or links.get("prev-archive")
    return values.address(urljoin(url, found)) if found else None
