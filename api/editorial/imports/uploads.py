"""Editors' route that imports a file, which is the body of the request."""

import tempfile
from collections.abc import AsyncIterator
from typing import Annotated, BinaryIO

import msgspec
from litestar import post
from litestar.openapi.spec import Example
from litestar.params import QueryParameter
from sqlalchemy.orm import Session

from api.editorial.imports import schemas
from api.editorial.imports.starting import accepted
from api.http import transaction
from api.http.auth import EDITORS, check_may_publish
from api.http.errors import InvalidParameter, Problem
from api.http.parameters import DryRun
from api.http.reply import JsonResponse
from api.http.request import ApiRequest, actor_of
from catalog.core.errors import FieldError
from catalog.imports import runs, sources
from catalog.imports.models import FILES
from catalog.imports.options import Options
from indexer.importing.reading import documents
from indexer.importing.settings import ImportSettings

_SourceType = Annotated[
    str,
    QueryParameter(
        name="sourceType", enum=FILES, description="The format of the file.", examples=[Example(value="csv")]
    ),
]
_Options = Annotated[
    str,
    QueryParameter(
        max_length=10_000,
        description="JSON of the options, as in an import from an address.",
        examples=[Example(value='{"policy":"draft"}')],
    ),
]
_FileName = Annotated[
    str | None,
    QueryParameter(
        name="fileName",
        max_length=200,
        description="The name of the file.",
        examples=[Example(value="programs.csv")],
    ),
]


def _decode_options(text: str) -> Options:
    try:
        return msgspec.json.decode(text, type=Options)
    except (msgspec.DecodeError, RecursionError) as error:
        raise InvalidParameter("options", str(error)[:300]) from None


async def _save(chunks: AsyncIterator[bytes], file: BinaryIO) -> None:
    """Write what is uploaded into a file, as it arrives.

    Raises:
        Problem: It is empty or larger than `ImportSettings.max_file_bytes`.
    """
    max_bytes = ImportSettings().max_file_bytes
    size = 0
    async for chunk in chunks:
        size += len(chunk)
        if size > max_bytes:
            raise Problem("body_too_large", f"At most {max_bytes // 1_000_000} MB.")
        file.write(chunk)
    if size == 0:
        errors = [FieldError("", "required", "Send the file as the body.")]
        raise Problem("validation_failed", "The body is empty.", errors=errors)
    file.seek(0)


async def begin(
    request: ApiRequest,
    chunks: AsyncIterator[bytes],
    source_type: str,
    options: Options,
    *,
    dry_run: bool,
    file_name: str | None,
) -> JsonResponse[schemas.ImportRunAnswer]:
    """Queue a run that imports an uploaded file.

    Args:
        request: Its sender starts the run.
        chunks: The bytes of the file.
        source_type: One of `FILES`.
        options: How its items become programs.
        dry_run: Say what would change, and change nothing.
        file_name: The file's name, for people.
    """
    check_may_publish(request, options.policy)
    actor = actor_of(request)
    # What is uploaded goes to a file first, so that a slow sender does not occupy a database connection.
    with tempfile.TemporaryFile() as file:
        await _save(chunks, file)

        def work(session: Session) -> int:
            namespace = sources.namespace_of(source_type, None, options)
            run = runs.create(
                session,
                runs.Origin(source_type, namespace, file_name=file_name),
                options,
                actor,
                dry_run=dry_run,
            )
            part = 0
            while data := file.read(documents.PART):
                for packed in documents.pack(data):
                    runs.add_part(session, run.id, 0, part, packed, {})
                    part += 1
                session.expunge_all()
            runs.get(session, run.id).fetched = True
            return run.id

        run_id = await transaction.write(request, work)
    return await accepted(request, run_id)


@post(
    "/imports/upload",
    status_code=202,
    summary="Import a file",
    description="The body is the file itself. `options` is JSON, as in an import from an address.",
    opt={
        "roles": EDITORS,
        "errors": ("body_too_large", "unsupported_media_type", "validation_failed"),
        "body": (
            "application/octet-stream",
            "externalId,title,language,mediaType,mediaUrl\n1,قهوة,ar,audio,https://cdn.example/1.mp3\n",
        ),
    },
    request_max_body_size=None,
)
async def upload_import(
    request: ApiRequest,
    source_type: _SourceType,
    dry_run: DryRun = False,
    options: _Options = "{}",
    file_name: _FileName = None,
) -> JsonResponse[schemas.ImportRunAnswer]:
    """Queue a run that imports the file in the body.

    Raises:
        Problem: The body is compressed.
    """
    if request.headers.get("content-encoding", "identity") != "identity":
        raise Problem("unsupported_media_type", "Send the file as it is, not compressed.")
    checked = _decode_options(options)
    return await begin(request, request.stream(), source_type, checked, dry_run=dry_run, file_name=file_name)


HANDLERS = [upload_import]
