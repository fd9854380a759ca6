"""The first page of imports: a form for an address, another for a file, and the latest runs."""

from collections.abc import AsyncIterator, Mapping

import msgspec
from litestar import Response, get, post
from litestar.datastructures import UploadFile

from api.editorial.imports import runs, uploads
from api.editorial.imports.schemas import ImportIn, ImportRunAnswer, ImportRunList
from api.http.errors import Problem
from api.http.reply import JsonResponse
from api.web.signin.asking import ask
from api.web.signin.staff import StaffRequest, redirect
from api.web.studio.given import Refusal, WrongField, attempt, behind, convert, once, send
from api.web.studio.imports import choices
from api.web.studio.showing import show
from catalog.imports.models import FILES, KINDS
from catalog.imports.options import Options
from indexer.importing.settings import ImportSettings

_HERE = "/studio/imports"
_RUNS, _LONGEST_NAME, _CHUNK = 20, 200, 256 * 1024


async def _page(
    request: StaffRequest, sent: Mapping[str, str], form: str = "", refused: Refusal | None = None
) -> Response[bytes]:
    """Return the page.

    Args:
        request: Who asks.
        sent: The fields of the form that was not taken.
        form: Which form that was: `address` or `file`; empty without one.
        refused: Why it was not taken.
    """
    before = behind(request, "before") or None
    found = await ask(request, runs.list_imports, ImportRunList, before=before, limit=_RUNS)
    context = {
        "runs": found.data,
        "next": found.meta.next_cursor,
        "categories": await choices.categories(request),
        "kinds": KINDS,
        "files": FILES,
        "sent": dict(sent),
        "form": form,
        "megabytes": ImportSettings().max_file_bytes // 1_000_000,
    }
    return show(request, "imports.html", context, refused=refused)


@get("/imports")
async def imports(request: StaffRequest) -> Response[bytes]:
    """Return the forms that start an import, and the latest runs."""
    return await _page(request, {})


@post("/imports/address")
async def from_address(request: StaffRequest) -> Response[bytes]:
    """Start a run from an address, and lead to it."""
    sent = request.sent

    def values() -> dict[str, object]:
        return {
            "sourceType": sent.get("sourceType", ""),
            "url": sent.get("url", "").strip(),
            "options": choices.chosen(sent),
        }

    # The same form sent twice is one import.
    begun = await send(
        request,
        runs.create_import,
        ImportRunAnswer,
        ImportIn,
        values,
        dry_run=sent.get("do") != "import",
        idempotency_key=await once(request),
    )
    if isinstance(begun, Refusal):
        return await _page(request, sent, "address", begun)
    return redirect(request, f"{_HERE}/{begun.data.id}")


def _largest_file() -> int:
    return ImportSettings().max_file_bytes


@post("/imports/file", request_max_body_size=None, opt={"file_bytes": _largest_file})
async def from_file(request: StaffRequest) -> Response[bytes]:
    """Start a run from a file, and lead to it."""
    begun = await attempt(_begin(request))
    if isinstance(begun, Refusal):
        return await _page(request, request.sent, "file", begun)
    return redirect(request, f"{_HERE}/{begun.data.id}")


async def _begin(request: StaffRequest) -> ImportRunAnswer:
    sent = request.sent
    file = (await request.form()).get("file") if "multipart" in request.headers["content-type"] else None
    if not isinstance(file, UploadFile):
        raise WrongField("file", "Choose a file.")
    source_type = sent.get("sourceType") or file.filename.rpartition(".")[2].lower()
    if source_type not in FILES:
        raise WrongField("sourceType", f"Must be one of: {', '.join(FILES)}.")
    options = convert(_Chosen, {"options": choices.chosen(sent)}).options

    async def chunks() -> AsyncIterator[bytes]:
        while chunk := await file.read(_CHUNK):
            yield chunk

    answer: JsonResponse[ImportRunAnswer] = await uploads.begin(
        request, chunks(), source_type, options, dry_run=sent.get("do") != "import", file_name=_name(file)
    )
    return msgspec.json.decode(answer.content, type=ImportRunAnswer)


class _Chosen(msgspec.Struct):
    """The options of a file, with the path that they have in other bodies."""

    options: Options


def _name(file: UploadFile) -> str:
    """Return the file's name.

    Raises:
        Problem: It has characters that no page can show.
    """
    if not file.filename.isprintable():
        raise Problem("bad_request", "The name of the file cannot be read.")
    return file.filename[-_LONGEST_NAME:]


HANDLERS = [imports, from_address, from_file]
