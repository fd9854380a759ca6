"""Routes of tasks: list and read them, cancel those that wait, delete those that are finished."""

from deploy.searchnode.errors import ApiError
from deploy.searchnode.http.call import Call
from deploy.searchnode.http.routing import Route
from deploy.searchnode.storage.tasks import Selection
from deploy.searchnode.tasks.payloads import TaskUids
from deploy.searchnode.tasks.selection import selection

_PAGING = ("limit", "from", "reverse")


def _selected(call: Call, *others: str) -> Selection:
    """Return the tasks that the parameters select and the caller may see; `others` select nothing."""
    selected = selection({name: text for name, text in call.query.items() if name not in others})
    if call.grant.everything:
        return selected
    uids = [uid if call.grant.covers(uid) else None for uid in call.node.indexes]
    return selected.and_(f"index_uid IN ({','.join('?' * len(uids))})", *uids)


def list_tasks(call: Call) -> object:
    """Answer a page of tasks, the newest first unless `reverse` is true.

    Raises:
        ApiError: A parameter is wrong.
    """
    selected = _selected(call, *_PAGING)
    limit = call.number("limit", 20, "invalid_task_limit")
    if call.query.get("reverse", "false") not in ("true", "false"):
        raise ApiError("invalid_task_reverse", "Invalid value in parameter `reverse`.")
    reverse = call.query.get("reverse") == "true"
    total = call.node.store.tasks.count(selected)
    if "from" in call.query:
        first = call.number("from", 0, "invalid_task_from")
        selected = selected.and_(f"uid {'>=' if reverse else '<='} ?", first)
    # One more than the page has: it tells where the next page begins.
    found = call.node.store.tasks.find(selected, limit + 1, oldest_first=reverse)
    page = [call.node.as_visible(record) for record in found]
    return {
        "results": page[:limit],
        "total": total,
        "limit": limit,
        "from": page[0]["uid"] if page and limit else None,
        "next": page[limit]["uid"] if len(page) > limit else None,
    }


def get_task(call: Call) -> object:
    """Answer one task.

    Raises:
        ApiError: There is no such task, or the caller may not see it.
    """
    uid = call.path["task"]
    if not uid.isdecimal():
        raise ApiError("invalid_task_uids", f"Task uid `{uid}` is invalid.")
    task = call.node.task(int(uid))
    if not call.grant.everything and not call.grant.covers(task["indexUid"] or ""):
        raise ApiError("task_not_found", f"Task `{uid}` not found.")
    return task


def _enqueue(call: Call, kind: str, verb: str, counted: str) -> object:
    """Enqueue a task about the tasks that the parameters select; `counted` is the detail it fills in.

    Raises:
        ApiError: The request has no parameters, or a wrong one.
    """
    if not call.query:
        raise ApiError("missing_task_filters", f"Query parameters to filter the tasks to {verb} are missing.")
    uids = call.node.store.tasks.uids(_selected(call))
    return call.node.enqueue(
        kind,
        None,
        {"matchedTasks": len(uids), counted: None, "originalFilter": f"?{call.request.url.query}"},
        TaskUids(uids),
    )


def delete_tasks(call: Call) -> object:
    """Enqueue the deletion of finished tasks."""
    return _enqueue(call, "taskDeletion", "delete", "deletedTasks")


def cancel_tasks(call: Call) -> object:
    """Enqueue that waiting tasks are canceled."""
    return _enqueue(call, "taskCancelation", "cancel", "canceledTasks")


ROUTES = (
    Route("GET", "/tasks", "tasks.get", list_tasks),
    Route("GET", "/tasks/{task:str}", "tasks.get", get_task),
    Route("DELETE", "/tasks", "tasks.delete", delete_tasks),
    Route("POST", "/tasks/cancel", "tasks.cancel", cancel_tasks),
)
