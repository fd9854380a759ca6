"""What operators do on the board: each action is a route under /ops, asked for once more on a page of its own."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from litestar.handlers import HTTPRouteHandler

from api.http.errors import InvalidParameter
from api.http.query import MAX_ID, MAX_VALUE
from api.operations import audits, caches, engines, pipeline, rebuilds, schemas
from api.operations.engines import DrainIn
from api.operations.imports import routes as imports

Fields = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Action:
    """An action of the board.

    Attributes:
        route: What it does.
        given: Makes the parameters and the body of the route from the fields of a form.
        section: The part of the board that shows the outcome.
        fields: The names of the fields that it needs.
        asked: Fields that the person may fill in on the page that asks.
    """

    route: HTTPRouteHandler
    given: Callable[[Fields], dict[str, object]]
    section: str
    fields: tuple[str, ...] = ()
    asked: tuple[str, ...] = field(default=())


def _number(fields: Fields, name: str) -> int:
    value = fields.get(name, "")
    if not (value.isascii() and value.isdigit() and 1 <= int(value[:20]) <= MAX_ID):
        raise InvalidParameter(name, "Must be a positive whole number.")
    return int(value)


def _word(fields: Fields, name: str) -> str:
    value = fields.get(name, "").strip()
    if not value or len(value) > MAX_VALUE:
        raise InvalidParameter(name, f"Must have 1 to {MAX_VALUE} characters.")
    return value


def _reason(fields: Fields) -> str:
    value = fields.get("reason", "").strip()
    if len(value) > MAX_VALUE:
        raise InvalidParameter("reason", f"Has more than {MAX_VALUE} characters.")
    return value


def _rebuild(fields: Fields) -> dict[str, object]:
    return {"data": schemas.ReindexIn(engine=_word(fields, "engine"), reason=_reason(fields))}


def _jobs(fields: Fields) -> dict[str, object]:
    return {"queue": _word(fields, "queue"), "data": schemas.JobsIn(job_ids=[_word(fields, "job")])}


def _all_jobs(fields: Fields) -> dict[str, object]:
    return {"queue": _word(fields, "queue"), "data": schemas.JobsIn()}


def _source(fields: Fields) -> dict[str, object]:
    return {"source_id": _number(fields, "source")}


ACTIONS = {
    "drain": Action(
        engines.drain_engine,
        lambda f: {"name": _word(f, "engine"), "data": DrainIn()},
        "engines",
        ("engine",),
    ),
    "resume": Action(engines.resume_engine, lambda f: {"name": _word(f, "engine")}, "engines", ("engine",)),
    "unpark": Action(
        pipeline.unpark,
        lambda f: {"data": schemas.UnparkIn(program_ids=[_number(f, "program")])},
        "pipeline",
        ("program",),
    ),
    "unpark_all": Action(pipeline.unpark, lambda _: {"data": schemas.UnparkIn()}, "pipeline"),
    "rebuild": Action(rebuilds.reindex, _rebuild, "rebuilds", ("engine",), ("reason",)),
    "cancel_rebuild": Action(
        rebuilds.cancel_reindex, lambda f: {"job_id": _number(f, "rebuild")}, "rebuilds", ("rebuild",)
    ),
    "roll_back": Action(
        rebuilds.roll_back, lambda f: {"job_id": _number(f, "rebuild")}, "rebuilds", ("rebuild",)
    ),
    "audit": Action(audits.audit, lambda _: {"data": schemas.DriftIn()}, "drift"),
    "repair": Action(audits.audit, lambda _: {"data": schemas.DriftIn(repair=True)}, "drift"),
    "cancel_import": Action(
        imports.cancel_import, lambda f: {"run_id": _number(f, "import")}, "imports", ("import",)
    ),
    "retry_import": Action(
        imports.retry_import, lambda f: {"run_id": _number(f, "import")}, "imports", ("import",)
    ),
    "pause_source": Action(imports.pause_source, _source, "imports", ("source",)),
    "resume_source": Action(imports.resume_source, _source, "imports", ("source",)),
    "source_due": Action(imports.make_due, _source, "imports", ("source",)),
    "retry": Action(pipeline.retry_jobs, _jobs, "queues", ("queue", "job")),
    "retry_all": Action(pipeline.retry_jobs, _all_jobs, "queues", ("queue",)),
    "delete_job": Action(pipeline.cancel_jobs, _jobs, "queues", ("queue", "job")),
    "empty": Action(pipeline.cancel_jobs, _all_jobs, "queues", ("queue",)),
    "purge": Action(
        caches.purge,
        lambda f: {"data": schemas.PurgeIn(program_ids=[_number(f, "program")])},
        "caches",
        ("program",),
    ),
    "purge_all": Action(caches.purge, lambda _: {"data": schemas.PurgeIn()}, "caches"),
}
