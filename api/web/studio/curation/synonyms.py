"""Pages of synonyms, tried on a query before they are saved, and of what listeners search for."""

from collections.abc import Mapping

from litestar import Response, get, post

from api.editorial.curation import history, synonyms
from api.editorial.curation.schemas import SynonymAnswer, SynonymIn, SynonymList, SynonymOut, SynonymPatch
from api.editorial.schemas import AuditList
from api.http.auth import REVIEWERS
from api.http.parameters import Id
from api.http.query import MAX_VALUE
from api.operations.reading import searches
from api.operations.reading.insight_schemas import SearchesAnswer
from api.web.signin.asking import ask, call
from api.web.signin.staff import StaffRequest, redirect
from api.web.studio.curation.trying import tried
from api.web.studio.given import Refusal, asked_for, attempt, behind, listed, send
from api.web.studio.overwriting import OVER, newer, rev_of
from api.web.studio.showing import show

_HERE = "/studio/curation/synonyms"
_SYNONYMS, _EVENTS, _QUERIES, _LONGEST = 50, 20, 25, 1000
_DAYS, _USUAL = ("1", "7", "30"), "7"
Form = dict[str, str]


@get("/curation/synonyms")
async def synonym_list(request: StaffRequest) -> Response[bytes]:
    """Return the synonyms."""
    words = request.query_params.get("q", "")[:MAX_VALUE]
    found = await ask(
        request, synonyms.list_synonyms, SynonymList, after=behind(request), limit=_SYNONYMS, q=words or None
    )
    context = {"rows": found.data, "next": found.meta.next_cursor, "q": words}
    return show(request, "synonyms.html", context)


def _filled(row: SynonymOut) -> Form:
    """Return a synonym as the fields of its form."""
    return {
        "kind": row.kind,
        "terms": ", ".join(row.terms),
        "finds": ", ".join(row.finds),
        "language": row.language or "",
        "rev": str(row.rev),
        "q": row.terms[0],
    }


async def _page(
    request: StaffRequest, synonym_id: int | None, sent: Form, refused: Refusal | None = None
) -> Response[bytes]:
    """Return the form of a synonym, with what it would change.

    Args:
        request: Who asks.
        synonym_id: The synonym; None: a new one.
        sent: The fields of the form.
        refused: Why it was not saved.
    """
    events, differs = [], None
    if synonym_id is not None:
        found = await ask(request, history.synonym_audit, AuditList, synonym_id=synonym_id, limit=_EVENTS)
        events = found.data
        if refused is not None:
            row = (await ask(request, synonyms.get_synonym, SynonymAnswer, synonym_id=synonym_id)).data
            now = {name: text for name, text in _filled(row).items() if name not in ("rev", "q")}
            differs = newer(refused, row.rev, now, sent)
    terms, preview = listed(sent.get("terms", "")), None
    if refused is None and terms:
        finds = listed(sent.get("finds", "")) if sent.get("kind") == "one_way" else []
        answer = await tried(
            request,
            sent.get("q", "").strip() or terms[0],
            terms=",".join(terms),
            finds=",".join(finds) or None,
            synonym_id=synonym_id,
        )
        refused, preview = (answer, None) if isinstance(answer, Refusal) else (None, answer)
    context = {
        "synonym_id": synonym_id,
        "here": f"{_HERE}/{synonym_id or 'new'}",
        "sent": sent,
        "preview": preview,
        "away": preview is None and refused is None and bool(terms),
        "events": events,
        "newer": differs,
    }
    return show(request, "synonym.html", context, refused=refused)


@get("/curation/synonyms/new")
async def new_synonym(request: StaffRequest) -> Response[bytes]:
    """Return the form of a new synonym; the address may name its words."""
    asked = {name: request.query_params.get(name, "")[:_LONGEST] for name in ("terms", "finds", "q")}
    kind = "one_way" if asked["finds"] else "two_way"
    if len(listed(asked["terms"])) + len(listed(asked["finds"])) < 2:
        # One word alone is no synonym yet: there is nothing to try.
        return show(
            request,
            "synonym.html",
            {
                "synonym_id": None,
                "here": f"{_HERE}/new",
                "sent": {"kind": kind, **asked},
                "preview": None,
                "away": False,
                "events": [],
            },
        )
    return await _page(request, None, {"kind": kind, **asked})


@get("/curation/synonyms/{synonym_id:int}")
async def synonym_page(request: StaffRequest, synonym_id: Id) -> Response[bytes]:
    """Return the form of a synonym."""
    row = (await ask(request, synonyms.get_synonym, SynonymAnswer, synonym_id=synonym_id)).data
    return await _page(request, synonym_id, _filled(row))


async def _sent(request: StaffRequest, synonym_id: int | None) -> Response[bytes]:
    sent = dict(request.sent)
    if sent.get("do") != "save" and not sent.get(OVER):
        return await _page(request, synonym_id, sent)
    saved = await _saved(request, synonym_id, sent)
    if isinstance(saved, Refusal):
        return await _page(request, synonym_id, sent, saved)
    done = "created" if synonym_id is None else "changed"
    return redirect(request, f"{_HERE}/{saved.data.id}?done={done}")


async def _saved(
    request: StaffRequest, synonym_id: int | None, sent: Mapping[str, str]
) -> SynonymAnswer | Refusal:
    def values() -> dict[str, object]:
        kind = sent.get("kind", "")
        return {
            "kind": kind,
            "terms": listed(sent.get("terms", "")),
            "finds": listed(sent.get("finds", "")) if kind == "one_way" else [],
            "language": sent.get("language") or None,
        }

    if synonym_id is None:
        return await send(request, synonyms.create_synonym, SynonymAnswer, SynonymIn, values)
    rev = rev_of(sent)
    return await send(
        request,
        synonyms.edit_synonym,
        SynonymAnswer,
        SynonymPatch,
        values,
        synonym_id=synonym_id,
        if_match=rev,
    )


@post("/curation/synonyms/new")
async def write_new(request: StaffRequest) -> Response[bytes]:
    """Try or save a new synonym."""
    return await _sent(request, None)


@post("/curation/synonyms/{synonym_id:int}")
async def write(request: StaffRequest, synonym_id: Id) -> Response[bytes]:
    """Try or save a synonym."""
    return await _sent(request, synonym_id)


@get("/curation/synonyms/{synonym_id:int}/delete", opt={"roles": REVIEWERS})
async def ask_delete(request: StaffRequest, synonym_id: Id) -> Response[bytes]:
    """Ask whether to delete a synonym."""
    row = (await ask(request, synonyms.get_synonym, SynonymAnswer, synonym_id=synonym_id)).data
    context = {
        "title": ", ".join(row.terms),
        "says": "synonym",
        "number": 0,
        "rev": row.rev,
        "here": f"{_HERE}/{synonym_id}",
    }
    return show(request, "curation_step.html", context)


@post("/curation/synonyms/{synonym_id:int}/delete", opt={"roles": REVIEWERS})
async def delete(request: StaffRequest, synonym_id: Id) -> Response[bytes]:
    """Delete a synonym."""
    rev = rev_of(request.sent)
    done = await attempt(call(request, synonyms.delete_synonym, synonym_id=synonym_id, if_match=rev))
    if isinstance(done, Refusal):
        row = (await ask(request, synonyms.get_synonym, SynonymAnswer, synonym_id=synonym_id)).data
        return await _page(request, synonym_id, _filled(row), done)
    return redirect(request, f"{_HERE}?done=deleted")


@get("/curation/searches")
async def insight(request: StaffRequest) -> Response[bytes]:
    """Say what listeners search for, and what they do not find; for those who may also see it in operations."""
    days = int(asked_for(request, "days", _DAYS) or _USUAL)
    found = await ask(request, searches.searches, SearchesAnswer, days=days, limit=_QUERIES)
    context = {"found": found.data, "days": days, "listeners": found.meta.listeners, "choices": _DAYS}
    return show(request, "searches.html", context)


HANDLERS = [synonym_list, new_synonym, synonym_page, write_new, write, ask_delete, delete, insight]
