"""The page of the editor: everything that it shows of a program, around the form."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from zoneinfo import ZoneInfo

import msgspec
from litestar import Response

from api.editorial import revisions
from api.editorial.imports import conflicts
from api.editorial.imports.conflicts import ImportConflictList
from api.editorial.pending_schemas import PendingDiff
from api.editorial.review import comments
from api.editorial.review.comments import ThreadList
from api.editorial.schemas import AuditList, EditorAnswer
from api.editorial.taxonomy_schemas import CategoryOut
from api.http.auth import REVIEWERS
from api.http.query import MAX_LIMIT
from api.web.signin.asking import ask
from api.web.signin.staff import StaffRequest, page
from api.web.studio import zones
from api.web.studio.editor import telling
from api.web.studio.editor.deciding import found, steps
from api.web.studio.editor.media import uploads
from api.web.studio.editor.telling import Told
from api.web.studio.editor.writing import form, merging, refused, series
from api.web.studio.editor.writing.form import Values
from catalog.programs.models import KINDS, MEDIA_TYPES
from catalog.review.states import LIVE
from catalog.taxonomy.models import PERSON_ROLES

LIST = "/studio/programs"
_LANGUAGES = ("ar", "en", "fr", "es", "de", "tr", "ur", "fa", "id", "ms", "hi")


@dataclass(frozen=True, slots=True)
class Typed:
    """What somebody typed and could not save.

    Attributes:
        inputs: The texts of the inputs, by name.
        base: The values that the form began with.
        seen: The ETag of what it began with.
        faults: Field -> the code of what is wrong.
        refusal: The name of the text that says why.
    """

    inputs: Mapping[str, str]
    base: Values
    seen: str
    faults: Mapping[str, str] = field(default_factory=dict)
    refusal: str = ""


@dataclass(frozen=True, slots=True)
class Said:
    """What somebody said and could not be said, in a thread or to begin one about a field."""

    body: str = ""
    field: str = ""
    thread: int | None = None


def address(program_id: int) -> str:
    """Return the address of the editor of a program."""
    return f"{LIST}/{program_id}"


def _choices(request: StaffRequest, categories: Sequence[CategoryOut]) -> dict[str, object]:
    """Return what the inputs of the form offer."""
    return {
        "kinds": KINDS,
        "media_types": MEDIA_TYPES,
        "roles": PERSON_ROLES,
        "lockable": form.NAMES,
        "languages": _LANGUAGES,
        "categories": categories,
        "upload": uploads.offered(request.locale),
    }


async def new(request: StaffRequest, typed: Typed | None = None, status: int = 200) -> Response[bytes]:
    """Return the page of a new program.

    Args:
        request: Of an editor.
        typed: What could not be saved.
        status: The status of the answer.
    """
    values = form.blank(request.locale)
    inputs = form.inputs(values, request.locale, zones.remembered(request))
    inputs |= {"series": "", "seriesWas": ""}
    if typed is not None:
        inputs |= typed.inputs
    context = {
        "inputs": inputs,
        "rows": form.rows(inputs),
        "faults": refused.said(request.locale, typed.faults if typed else {}),
        "refusal": typed.refusal if typed else "",
        "once": secrets.token_urlsafe(16),
        **_choices(request, await telling.categories(request)),
    }
    return page(request, "studio/editor_new.html", context, status=status)


async def show(
    request: StaffRequest,
    answer: EditorAnswer,
    typed: Typed | None = None,
    *,
    said: Said | None = None,
    status: int = 200,
) -> Response[bytes]:
    """Return the page of a program.

    Args:
        request: Of an editor.
        answer: The program, with its pending revision.
        typed: What could not be saved.
        said: What could not be said.
        status: The status of the answer.
    """
    known = await telling.categories(request)
    draft = form.draft_of(answer)
    inputs = form.inputs(draft, request.locale, zones.remembered(request))
    title = await series.title_of(request, draft)
    inputs |= {"series": title, "seriesWas": title}
    if typed is not None:
        # Boxes that are not ticked are no fields.
        inputs = {name: "" if text == "on" else text for name, text in inputs.items()} | dict(typed.inputs)
    asked = typed or Typed(inputs, draft, form.etag_of(answer))
    context = {
        **_choices(request, known),
        **await _beside(request, answer, known, said or Said()),
        "inputs": inputs,
        "rows": form.rows(inputs),
        "faults": refused.said(request.locale, asked.faults),
        "refusal": asked.refusal,
        "base": msgspec.json.encode(asked.base).decode(),
        "seen": asked.seen,
        "is_unsaid": said is not None,
        "found": await found.look(request, answer.data.id),
        "done": request.query_params.get("done", ""),
    }
    return page(request, "studio/editor.html", context, status=status)


async def side(request: StaffRequest, answer: EditorAnswer) -> Response[bytes]:
    """Return what the page of a program has beside the form. Whether listeners find the program is left to its script.

    Args:
        request: Of an editor.
        answer: The program, with its pending revision.
    """
    beside = await _beside(request, answer, await telling.categories(request), Said())
    context = {**beside, "lockable": form.NAMES, "found": found.NOT_ASKED, "done": ""}
    return page(request, "studio/editor_beside.html", context)


async def _beside(
    request: StaffRequest, answer: EditorAnswer, known: Sequence[CategoryOut], said: Said
) -> dict[str, object]:
    """Return what the parts beside the form show, but whether listeners find the program.

    Args:
        request: Of an editor.
        answer: The program, with its pending revision.
        known: All categories.
        said: What could not be said.
    """
    program, zone = answer.data, zones.remembered(request)
    route = comments.list_program_threads
    threads = await ask(request, route, ThreadList, program_id=program.id, limit=MAX_LIMIT)
    differences, waiting = await _differences(request, answer, zone, known)
    sources, at_sources = await _sources(request, program.id, zone, known)
    return {
        "answer": answer,
        "program": program,
        "edition": form.edition_of(answer),
        "waiting": answer.pending if program.status in LIVE else None,
        "tell": telling.Teller(request.locale, zone, known, {}),
        "steps": [(step, steps.seen_of(answer, step)) for step in steps.offered(answer, request.user)],
        "differences": differences,
        "read_waiting": waiting,
        "sources": sources,
        "read_sources": at_sources,
        "threads": threads.data,
        "said": said,
        "me": str(request.user.actor("")),
        "may_settle": bool(request.user.roles & set(REVIEWERS)),
        "once": secrets.token_urlsafe(16),
    }


def read_of(one: object, other: object) -> str:
    """Return a name for two values that somebody reads beside each other: another one for other values."""
    return blake2b(msgspec.json.encode([one, other]), digest_size=12).hexdigest()


async def _differences(
    request: StaffRequest, answer: EditorAnswer, zone: ZoneInfo, known: Sequence[CategoryOut]
) -> tuple[list[Told], dict[str, str]]:
    """Return what waits beside what listeners see, field by field, and a name for each two values."""
    if answer.pending is None or answer.data.status not in LIVE:
        return [], {}
    route = steps.ROUTES["program.pending.diff"]
    diff = (await ask(request, route, PendingDiff, row_id=answer.data.id)).data
    sides = [{name: pair[side] for name, pair in diff.items()} for side in (0, 1)]
    teller = await telling.teller(request, zone, known, *sides)
    told = await teller.marked((name, diff[name][0], diff[name][1]) for name in form.NAMES if name in diff)
    return told, {name: read_of(*pair) for name, pair in diff.items()}


async def _sources(
    request: StaffRequest, program_id: int, zone: ZoneInfo, known: Sequence[CategoryOut]
) -> tuple[list[Told], dict[str, str]]:
    """Return what a program says beside what its source says, where an import found both to differ, named likewise."""
    route = conflicts.list_conflicts
    found_open = await ask(request, route, ImportConflictList, program_id=program_id, only_state="open")
    rows = found_open.data
    sides = [{row.field: row.here for row in rows}, {row.field: row.source for row in rows}]
    teller = await telling.teller(request, zone, known, *sides)
    told = await teller.marked((row.field, row.here, row.source) for row in rows)
    return told, {row.field: read_of(row.here, row.source) for row in rows}


async def merge(request: StaffRequest, answer: EditorAnswer, base: Values, mine: Values) -> Response[bytes]:
    """Return the page on which somebody chooses between what is there now and what could not be saved.

    Args:
        request: Of an editor.
        answer: The program as it is now.
        base: The values that were there when somebody began to write.
        mine: The values that could not be saved.
    """
    theirs, zone = form.draft_of(answer), zones.remembered(request)
    teller = await telling.teller(request, zone, await telling.categories(request), base, theirs, mine)
    found_different = merging.differences(base, theirs, mine)
    told = await teller.marked((one.name, one.theirs, one.mine) for one in found_different)
    context = {
        "program": answer.data,
        "differences": [
            (one, teller.value(one.name, one.was), both)
            for one, both in zip(found_different, told, strict=True)
        ],
        "open": sum(not one.choice for one in found_different),
        "base": msgspec.json.encode(theirs).decode(),
        "mine": msgspec.json.encode(mine).decode(),
        "seen": form.etag_of(answer),
        "by": await _last_author(request, answer.data.id),
    }
    return page(request, "studio/editor_merge.html", context, status=412)


async def _last_author(request: StaffRequest, program_id: int) -> str:
    """Return who changed a program or its pending revision last, as audit events name people."""
    asked = ask(request, revisions.program_audit, AuditList, program_id=program_id, limit=1)
    events = (await asked).data
    return events[0].actor if events else ""
