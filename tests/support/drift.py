"""An index that has drifted, made on purpose."""

import random

from sqlalchemy import text

from tests.support.pipeline import Pipeline


def inject_drift(pipeline: Pipeline, ids: list[int]) -> dict[str, list[int]]:
    """Make an index differ from PostgreSQL without a mark: a third of `ids` missing, a third stale, a third ghosts.

    Returns:
        Kind -> ids, sorted.
    """
    uid = pipeline.settings.indexer.meili_index
    chance = random.Random(5)
    chance.shuffle(ids)
    third = len(ids) // 3
    missing, stale, ghosts = ids[:third], ids[third : 2 * third], ids[2 * third : 3 * third]
    path = f"indexes/{uid}/documents/fetch"
    documents = pipeline.engine.client.http.post(path, {"limit": 100_000})["results"]
    old = [row | {"title": "Old", "_hash": "0" * 16} for row in documents if row["id"] in set(stale)]
    # Deleted from PostgreSQL without the trigger that marks.
    with pipeline.database.begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        connection.execute(text("DELETE FROM programs WHERE id = ANY(:ids)"), {"ids": ghosts})
    for task in (pipeline.engine.delete(uid, missing), pipeline.engine.send(uid, old)):
        pipeline.engine.finished(task)
    return {"missing": sorted(missing), "stale": sorted(stale), "ghosts": sorted(ghosts)}
