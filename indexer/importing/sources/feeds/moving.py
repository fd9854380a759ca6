"""Whether a feed's new address may be adopted: only when it answers with the same feed.

A publisher names it with `itunes:new-feed-url`, or its server with a permanent redirect. Both go wrong: the address is
dead, it belongs to another show, or two feeds point at each other.
"""

from indexer.importing.errors import ImportFailed
from indexer.importing.sources.base import ImportContext
from indexer.importing.sources.feeds.pages import Page
from indexer.importing.sources.feeds.remote import RemotePages

# The number under which the page at a feed's new address is read; the pages of the feed begin with 0.
_THERE = -1
# The share of the items of a feed that must be known for it to be the same feed.
_SAME_SHARE = 0.5


def check_redirect(context: ImportContext, pages: RemotePages, moved_to: str, page: Page) -> None:
    """Adopt the address behind a permanent redirect if the feed there is the one that is known.

    Args:
        context: The run.
        pages: The run's pages.
        moved_to: The address that answered.
        page: What it answered, page 0.

    Raises:
        ImportFailed: `moved_elsewhere`: another feed answers, whose items are none of this source's.
    """
    known = context.known_source()
    if (
        known is not None
        and known.marks
        and not _agree(known.guid, page.channel.extension.guid, known.marks, pages.marks(0))
    ):
        detail = f"The address redirects to {moved_to}, which is another feed. Look which one is meant."
        raise ImportFailed("moved_elsewhere", detail)
    context.facts["moved_to"] = moved_to


def check_new_url(context: ImportContext, pages: RemotePages, page: Page, accept: str) -> None:
    """Adopt the address that the feed names as its new one if it answers with the same feed.

    Args:
        context: The run.
        pages: The run's pages.
        page: The feed as it was read at its present address, page 0.
        accept: The Accept header of feeds.
    """
    channel = page.channel
    url = channel.new_url
    if (
        url is None
        or context.run.source_id is None
        or _same(url, context.run.url)
        or _same(url, channel.base)
    ):
        return
    try:
        fetched = context.fetcher.fetch(url, max_bytes=context.settings.max_feed_bytes, accept=accept)
        there = pages.load(_THERE, fetched.body, fetched.content_type, fetched.url)
    except ImportFailed as error:
        _refuse(
            context, "new_address_fails", f"The feed's new address {url}: {error.detail} The address stays."
        )
        return
    new = there.channel
    marks = pages.marks(_THERE)
    pages.drop(_THERE)
    if _same(new.new_url, context.run.url) or _same(fetched.url, context.run.url):
        _refuse(
            context,
            "move_loop",
            f"The feed and its new address {url} point at each other; the address stays.",
        )
        return
    here = frozenset().union(*pages.marks(0))
    if not _agree(channel.extension.guid, new.extension.guid, here, marks):
        _refuse(context, "moved_elsewhere", f"{url} answers with another feed; the address stays.")
        return
    # The validators belong to the old address.
    context.facts |= {"moved_to": url, "etag": None, "last_modified": None, "document_hash": None}


def _agree(
    guid: str | None, new_guid: str | None, known: frozenset[str], items_there: list[set[str]]
) -> bool:
    """Whether two feeds have the same id, or the new one has mostly items that are known."""
    if guid and new_guid:
        return guid == new_guid
    same = sum(bool(marks & known) for marks in items_there)
    return bool(items_there) and same >= _SAME_SHARE * len(items_there)


def _same(one: str | None, other: str | None) -> bool:
    return bool(one and other) and _bare(one or "") == _bare(other or "")


def _bare(url: str) -> str:
    return url.partition("://")[2].rstrip("/").lower()


def _refuse(context: ImportContext, code: str, detail: str) -> None:
    # The next refresh must read the feed again although it is unchanged: its new address may answer then.
    context.facts |= {"etag": None, "last_modified": None, "document_hash": None}
    if context.remark is None:
        context.remark, context.remark_detail = code, detail
