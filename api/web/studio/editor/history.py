"""The history of a program: its revisions with what each changed, two of them compared, and restoring one."""

from dataclasses import dataclass
from itertools import pairwise

from litestar import Response, get, post

from api.editorial import revisions
from api.editorial.review import autosave
from api.editorial.schemas import DiffAnswer, EditorAnswer, RevisionItem, RevisionList
from api.http.auth import REVIEWERS
from api.http.errors import InvalidParameter
from api.http.parameters import Id
from api.http.query import MAX_ID
from api.web.signin.asking import ask
from api.web.signin.staff import StaffRequest, page, redirect
from api.web.studio import zones
from api.web.studio.editor import pages, telling
from api.web.studio.editor.telling import Told
from api.web.studio.editor.writing import refused
from catalog.programs import snapshot
from catalog.review.states import LIVE

_AT = "/programs/{program_id:int}/history"
_MANY = 20
# Restoring a revision leaves these as they are.
_STAYS = ("slug", "status")


@dataclass(frozen=True, slots=True)
class Past:
    """A revision, and what it changed; None for the changes of one whose forerunner is not on the page."""

    item: RevisionItem
    changed: list[Told] | None


def _number(request: StaffRequest, name: str) -> int | None:
    """Return a number of the query string; None when it is absent.

    Raises:
        InvalidParameter: It is no number of a revision.
    """
    text = request.query_params.get(name, "")
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:20]) <= MAX_ID):
        raise InvalidParameter(name, "Must be the number of a revision.")
    return int(text)


async def _told(
    request: StaffRequest, pairs: list[dict[str, list[object]]], without: tuple[str, ...] = ()
) -> list[list[Told]]:
    """Tell what changed, several times. Words are marked in the first alone: it is what the page opens."""
    sides = [{name: pair[side] for name, pair in found.items()} for found in pairs for side in (0, 1)]
    known = await telling.categories(request)
    teller = await telling.teller(request, zones.remembered(request), known, *sides)
    named = [
        [(name, found[name][0], found[name][1]) for name in found if name not in without] for found in pairs
    ]
    opened = [await teller.marked(fields) for fields in named[:1]]
    return opened + [[teller.plain(*field) for field in fields] for fields in named[1:]]


@get(_AT)
async def history(request: StaffRequest, program_id: Id) -> Response[bytes]:
    """Return the history of a program, or two revisions compared.

    Raises:
        InvalidParameter: A number cannot be read.
    """
    before, old, new = (_number(request, name) for name in ("before", "from", "to"))
    answer = await ask(request, autosave.get_draft, EditorAnswer, program_id=program_id)
    route = revisions.list_revisions
    listed = await ask(request, route, RevisionList, program_id=program_id, before=before, limit=_MANY + 1)
    items = listed.data
    pairs = [snapshot.difference(older.snapshot, newer.snapshot) for newer, older in pairwise(items)]
    told: list[list[Told] | None] = [*await _told(request, pairs)]
    shown = [Past(item, changed) for item, changed in zip(items, [*told, None], strict=True)]
    compared: list[Told] = []
    if old is not None and new is not None:
        diff = await ask(
            request, revisions.diff_revisions, DiffAnswer, program_id=program_id, from_=old, to=new
        )
        (compared,) = await _told(request, [diff.data])
    context = {
        "program": answer.data,
        "past": shown[:_MANY],
        "older": shown[_MANY - 1].item.rev if len(shown) > _MANY else None,
        "first": shown[-1].item.rev if shown else 1,
        "old": old,
        "new": new,
        "compared": compared,
        "tell": telling.Teller(request.locale, zones.remembered(request), [], {}),
    }
    return page(request, "studio/editor_history.html", context)


@get(_AT + "/{rev:int}/restore")
async def ask_restore(request: StaffRequest, program_id: Id, rev: Id) -> Response[bytes]:
    """Say what restoring a revision would change, and ask whether to do it."""
    answer = await ask(request, autosave.get_draft, EditorAnswer, program_id=program_id)
    diff = await ask(
        request, revisions.diff_revisions, DiffAnswer, program_id=program_id, from_=answer.data.rev, to=rev
    )
    (told,) = await _told(request, [diff.data], _STAYS)
    may = bool(request.user.roles & set(REVIEWERS))
    context = {
        "program": answer.data,
        "ask": "restore" if answer.data.status not in LIVE else "restore_live" if may else "restore_waits",
        "fields": {"seen": str(answer.data.rev)},
        "to": f"history/{rev}/restore",
        "told": told,
    }
    return page(request, "studio/editor_ask.html", context)


@post(_AT + "/{rev:int}/restore")
async def restore(request: StaffRequest, program_id: Id, rev: Id) -> Response[bytes]:
    """Restore a revision, and lead back to the program.

    Raises:
        REFUSALS: The API refuses for another reason than that somebody has changed the program since.
    """
    seen = f'"{request.sent.get("seen", "")}"'
    try:
        await ask(request, revisions.restore_revision, object, program_id=program_id, rev=rev, if_match=seen)
    except refused.REFUSALS as error:
        if refused.refused(error).status != 412:
            raise
        return redirect(request, f"{pages.address(program_id)}?done=not_now")
    return redirect(request, f"{pages.address(program_id)}?done=restored")


HANDLERS = [history, ask_restore, restore]
