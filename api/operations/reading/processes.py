"""Routes that read what processes do: the schedule of periodic jobs, and where cached answers came from."""

import time
from collections import Counter, defaultdict
from datetime import UTC, datetime
from typing import Any

from litestar import get
from rq_scheduler import Scheduler

from api.http.auth import OPS
from api.http.reply import JsonResponse
from api.http.request import ApiRequest
from api.operations import metrics
from api.operations.pipeline import ask_queue
from api.operations.reading import schemas
from api.operations.states import connected
from indexer.stores.queues import JsonJob


def _schedule(url: str) -> list[schemas.PeriodicOut]:
    """Return the periodic jobs that the scheduler has written, by the time of their next run.

    Raises:
        RedisError: Redis does not answer.
    """
    with connected(url) as redis:
        rows: Any = redis.zrange(Scheduler.scheduled_jobs_key, 0, -1, withscores=True)
        due: dict[str, float] = {raw.decode(): moment for raw, moment in rows}
        jobs = [job for job in JsonJob.fetch_many(list(due), connection=redis) if job is not None]
    now = time.time()
    found = [
        schemas.PeriodicOut(
            id=str(job.id),
            function=str(job.func_name),
            cron=str(job.meta.get("cron_string") or ""),
            next_at=datetime.fromtimestamp(due[str(job.id)], UTC),
            late_sec=round(max(0.0, now - due[str(job.id)]), 1),
        )
        for job in jobs
    ]
    return sorted(found, key=lambda job: job.next_at)


@get(
    "/schedule",
    operation_id="getSchedule",
    summary="The schedule",
    description="Periodic jobs with the time of their next run. None, or late ones: no scheduler runs.",
    opt={"roles": OPS, "errors": ("queue_unavailable",)},
)
async def schedule(request: ApiRequest) -> JsonResponse[schemas.ScheduleAnswer]:
    """List the periodic jobs."""
    return JsonResponse(schemas.ScheduleAnswer(data=await ask_queue(request, _schedule)))


def _answers() -> list[schemas.AnswersOut]:
    counted: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for metric in metrics.counters():
        if metric.name == "cache_requests":
            for sample in metric.samples:
                if sample.name.endswith("_total"):
                    counted[sample.labels["kind"]][sample.labels["level"]] += int(sample.value)
    found = []
    for kind, levels in sorted(counted.items()):
        asked = levels.total()
        found.append(
            schemas.AnswersOut(
                kind=kind,
                memory=levels["l1"],
                stale=levels["stale"],
                redis=levels["l2"],
                coalesced=levels["coalesced"],
                made=levels["miss"],
                hit_rate=round(1 - levels["miss"] / asked, 4) if asked else None,
            )
        )
    return found


@get(
    "/caches",
    operation_id="getCaches",
    summary="Cached answers",
    description="Where the answers of this instance came from since it began, summed over its worker processes.",
    opt={"roles": OPS},
)
async def caches(request: ApiRequest) -> JsonResponse[schemas.AnswersList]:
    """Count the answers by kind and origin."""
    return JsonResponse(schemas.AnswersList(data=_answers()))


HANDLERS = [schedule, caches]
