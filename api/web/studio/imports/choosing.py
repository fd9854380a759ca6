"""Which items of a dry run are chosen: kept in the address and in the form of its page, from one page of items to the next."""

import zlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error
from collections.abc import Collection
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode

from litestar import Response, post
from sqlalchemy.orm import Session

from api.editorial.imports import runs
from api.editorial.imports.schemas import ImportRunAnswer
from api.http import transaction
from api.http.parameters import Id
from api.web.signin.asking import ask
from api.web.signin.forms import Form
from api.web.signin.staff import StaffRequest, redirect
from api.web.studio.given import WrongField
from catalog.imports import items
from catalog.imports.models import OUTCOMES
from catalog.imports.options import MAX_POSITIONS

ITEMS = 50
# Items of a dry run of which the real run would write something.
WRITTEN = ("created", "updated", "conflict")
ITEM = "item-"
# Of a choice when it is unpacked: room for two million items.
_MOST_BYTES = 262_144


@dataclass(frozen=True, slots=True)
class Chosen:
    """What a page of items shows of a choice.

    Attributes:
        here: The positions that are ticked on this page.
        elsewhere: Those on other pages, packed for the form.
        number: How many are on other pages.
        matching: How many items "all of them" would choose.
        before: Where the page before this one begins; None on the first page.
    """

    here: frozenset[int]
    elsewhere: str
    number: int
    matching: int
    before: int | None


def packed(positions: Collection[int]) -> str:
    """Return positions as a word for an address: a bit for each item, compressed. Nothing is an empty word."""
    if not positions:
        return ""
    bits = sum(1 << position for position in set(positions))
    content = zlib.compress(bits.to_bytes(bits.bit_length() // 8 + 1, "little"), 9)
    return urlsafe_b64encode(content).decode().rstrip("=")


def unpacked(word: str) -> set[int]:
    """Return the positions of a word that `packed` made.

    Raises:
        ValueError: It is no such word.
    """
    if not word:
        return set()
    try:
        content = urlsafe_b64decode(word + "=" * (-len(word) % 4))
        reader = zlib.decompressobj()
        found = reader.decompress(content, _MOST_BYTES)
    except (Error, zlib.error, UnicodeEncodeError):
        raise ValueError(word) from None
    if not reader.eof or reader.unused_data:
        raise ValueError(word)
    return {8 * n + bit for n, byte in enumerate(found) for bit in range(8) if byte >> bit & 1} - {0}


def of_address(request: StaffRequest) -> set[int]:
    """Return what an address chooses; nothing when it cannot be read, so that nothing is chosen that nobody sees."""
    try:
        return unpacked(request.query_params.get("chosen", ""))
    except ValueError:
        return set()


def of_form(form: Form) -> set[int]:
    """Return what a form chooses: what it carries of other pages, and what is ticked on its own.

    Raises:
        WrongField: What it carries cannot be read.
    """
    try:
        found = unpacked(form.get("elsewhere", ""))
    except ValueError:
        raise WrongField("positions", "What was chosen on other pages cannot be read.") from None
    ticked = [name.removeprefix(ITEM) for name in form if name.startswith(ITEM)]
    return found | {int(n) for n in ticked if n.isascii() and n.isdigit() and len(n) < 10}


async def shown(
    request: StaffRequest,
    run_id: int,
    outcome: str,
    after: int,
    here: Collection[int],
    counts: dict[str, int],
) -> Chosen:
    """Return what a page shows of the choice.

    Args:
        request: Whose address or form has the choice.
        run_id: The dry run.
        outcome: The only outcome that is shown; empty for all.
        after: Where the page begins.
        here: The positions of its items that can be chosen.
        counts: How many items have each outcome.
    """
    try:
        chosen = of_form(request.sent) if request.method == "POST" else of_address(request)
    except WrongField:
        chosen = set()
    query = items.before_page(run_id, after, ITEMS, outcome or None)
    before = await transaction.read(request, lambda s: s.scalar(query)) if after else None
    elsewhere = chosen - set(here)
    return Chosen(
        frozenset(chosen & set(here)),
        packed(elsewhere),
        len(elsewhere),
        sum(counts[name] for name in _matching(outcome)),
        None if not after else before or 0,
    )


def _matching(outcome: str) -> tuple[str, ...]:
    """Return the outcomes of the items that "all of them" chooses where one outcome is shown, or all are."""
    return WRITTEN if not outcome else (outcome,) if outcome in WRITTEN else ()


@post("/imports/{run_id:int}/choose")
async def choose(request: StaffRequest, run_id: Id) -> Response[bytes]:
    """Keep what is ticked, choose all items with an outcome or none, and lead to another page of items.

    Raises:
        WrongField: The choice cannot be read, or is larger than one that can be imported.
    """
    sent = request.sent
    await ask(request, runs.get_import, ImportRunAnswer, run_id=run_id)
    chosen, where = of_form(sent), dict(parse_qsl(sent.get("to", "")))
    outcome, after = where.get("outcome", ""), where.get("after", "")
    kept = {"outcome": outcome if outcome in OUTCOMES else ""}
    kept["after"] = after if after.isascii() and after.isdigit() and len(after) < 10 else ""
    if where.get("all") == "none":
        chosen = set()
    elif where.get("all") == "yes":

        def matching(session: Session) -> set[int]:
            return set(
                session.scalars(items.positions(run_id, _matching(kept["outcome"]), MAX_POSITIONS + 1))
            )

        chosen |= await transaction.read(request, matching)
    if len(chosen) > MAX_POSITIONS:
        raise WrongField("positions", f"At most {MAX_POSITIONS} items can be chosen.")
    query = urlencode({name: value for name, value in (kept | {"chosen": packed(chosen)}).items() if value})
    return redirect(request, f"/studio/imports/{run_id}{'?' + query if query else ''}#items")


HANDLERS = [choose]
