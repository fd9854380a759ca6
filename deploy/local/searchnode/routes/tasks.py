"""The queue: what was asked, what became of it."""

import json
from typing import Any

from deploy.local.searchnode import task_filter
from deploy.local.searchnode.errors import ApiError
from deploy.local.searchnode.web import Call, route

_PAGING = ("limit", "from", "reverse")


def _condition(call: Call, *others: str) -> tuple[str, list[Any]]:
    """SQL for the tasks that the query parameters select, and its arguments."""
    filters = {name: text for name, text in call.query.items() if name not in others}
    clauses, arguments = task_filter.condition(filters)
    if not call.grant.everything:
        clauses.append(f"index_uid IN ({','.join('?' * len(call.node.indexes))})")
        arguments += [uid if call.grant.covers(uid) else None for uid in call.node.indexes]
    return " AND ".join(["1", *clauses]), arguments


@route("GET", "/tasks", "tasks.get")
def list_tasks(call: Call) -> Any:
    where, arguments = _condition(call, *_PAGING)
    limit = call.number("limit", 20, "invalid_task_limit")
    if call.query.get("reverse", "false") not in ("true", "false"):
        raise ApiError("invalid_task_reverse", "Invalid value in parameter `reverse`.")
    reverse = call.query.get("reverse") == "true"
    rows = call.node.store.rows
    total = rows(f"SELECT count(*) FROM tasks WHERE {where}", *arguments)[0][0]  # noqa: S608 - fixed names
    if "from" in call.query:
        where += f" AND uid {'>=' if reverse else '<='} ?"
        arguments.append(call.number("from", 0, "invalid_task_from"))
    order = "ASC" if reverse else "DESC"
    found = rows(
        f"SELECT record FROM tasks WHERE {where} ORDER BY uid {order} LIMIT ?",  # noqa: S608 - fixed names
        *arguments, limit + 1,
    )  # fmt: skip
    page = [call.node.shown(json.loads(record)) for (record,) in found]
    return {
        "results": page[:limit], "total": total, "limit": limit,
        "from": page[0]["uid"] if page and limit else None,
        "next": page[limit]["uid"] if len(page) > limit else None,
    }  # fmt: skip


@route("GET", "/tasks/{task:str}", "tasks.get")
def get_task(call: Call) -> Any:
    uid = call.path["task"]
    if not uid.isdecimal():
        raise ApiError("invalid_task_uids", f"Task uid `{uid}` is invalid.")
    task = call.node.task(int(uid))
    if not call.grant.everything and not call.grant.covers(task["indexUid"] or ""):
        raise ApiError("task_not_found", f"Task `{uid}` not found.")
    return task


def _on_tasks(call: Call, kind: str, verb: str, done: str) -> Any:
    if not call.query:
        raise ApiError(
            "missing_task_filters",
            f"Query parameters to filter the tasks to {verb} are missing.",
        )
    where, arguments = _condition(call)
    found = call.node.store.rows(f"SELECT uid FROM tasks WHERE {where}", *arguments)  # noqa: S608 - fixed names
    details = {
        "matchedTasks": len(found), done: None, "originalFilter": f"?{call.request.url.query}",
    }  # fmt: skip
    return call.node.enqueue(kind, None, details, {"uids": [uid for (uid,) in found]})


@route("DELETE", "/tasks", "tasks.delete", 200)
def delete_tasks(call: Call) -> Any:
    return _on_tasks(call, "taskDeletion", "delete", "deletedTasks")


@route("POST", "/tasks/cancel", "tasks.cancel", 200)
def cancel_tasks(call: Call) -> Any:
    return _on_tasks(call, "taskCancelation", "cancel", "canceledTasks")
