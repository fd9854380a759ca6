"""Operators' routes for webhooks."""

from collections.abc import Callable

from litestar import delete, get, patch, post
from litestar.params import JSONBody
from sqlalchemy.orm import Session

from api.http import transaction
from api.http.auth import OPS
from api.http.parameters import AfterId, BeforeId, Id, IfMatch, Limit
from api.http.query import DEFAULT_LIMIT
from api.http.reply import JsonResponse, etag_of
from api.http.request import ApiRequest, actor_of, expected_rev
from api.http.schemas import list_meta, sent_fields
from api.operations.webhooks import schemas
from api.operations.webhooks.addresses import require_allowed
from catalog.core.errors import NotFound
from catalog.webhooks import endpoints, queries
from catalog.webhooks.models import WebhookDelivery, WebhookEndpoint

_ONE = "/webhooks/{webhook_id:int}"
_LOG = f"{_ONE}/deliveries"


def _read(session: Session, webhook_id: int) -> schemas.WebhookOut:
    found = session.execute(queries.endpoint(webhook_id)).one_or_none()
    if found is None:
        raise NotFound("webhook", webhook_id)
    return schemas.webhook_out(*found)


def _answer(found: schemas.WebhookOut) -> JsonResponse[schemas.WebhookAnswer]:
    return JsonResponse(schemas.WebhookAnswer(data=found), etag=etag_of(found.rev))


def _key(request: ApiRequest) -> str:
    return request.shared.settings.api.secret_key.get_secret_value()


@get(
    "/webhooks",
    summary="Webhooks",
    description="By id (after, limit ≤ 100): who is told of changes, how far each has come, and which fail or are disabled.",
    opt={"roles": OPS},
)
async def list_webhooks(
    request: ApiRequest, after: AfterId = 0, limit: Limit = DEFAULT_LIMIT
) -> JsonResponse[schemas.WebhookList]:
    """List endpoints."""

    def work(session: Session) -> schemas.WebhookList:
        rows = session.execute(queries.endpoints(after, limit + 1)).all()
        found = [schemas.webhook_out(*row) for row in rows]
        return schemas.WebhookList(data=found[:limit], meta=list_meta(limit, [each.id for each in found]))

    return JsonResponse(await transaction.read(request, work))


@post(
    "/webhooks",
    status_code=201,
    summary="Add a webhook",
    description="It is told of the changes from now on. The answer has the secret that its messages are signed with; it "
    "is shown only now.",
    opt={"roles": OPS, "errors": ("conflict",)},
)
async def create_webhook(
    request: ApiRequest, data: JSONBody[schemas.WebhookIn]
) -> JsonResponse[schemas.WebhookSecretAnswer]:
    """Create an endpoint."""
    values, actor, key = sent_fields(data), actor_of(request), _key(request)
    require_allowed(request.shared.settings.api, data.url)

    def work(session: Session) -> schemas.WebhookSecretAnswer:
        row, secret = endpoints.create(session, values, key, actor)
        return schemas.WebhookSecretAnswer(data=_read(session, row.id), secret=secret)

    found = await transaction.write(request, work)
    return JsonResponse(found, etag=etag_of(found.data.rev), location=f"/ops/webhooks/{found.data.id}")


@get(_ONE, summary="One webhook", opt={"roles": OPS, "errors": ("not_found",)})
async def get_webhook(request: ApiRequest, webhook_id: Id) -> JsonResponse[schemas.WebhookAnswer]:
    """Return an endpoint."""
    return _answer(await transaction.read(request, lambda s: _read(s, webhook_id)))


@patch(
    _ONE,
    summary="Change, enable or disable a webhook",
    description="Any change has its server tried at once. skip leaves out the changes that wait for it.",
    opt={"roles": OPS, "errors": ("not_found", "conflict")},
)
async def edit_webhook(
    request: ApiRequest, webhook_id: Id, data: JSONBody[schemas.WebhookPatch], if_match: IfMatch = None
) -> JsonResponse[schemas.WebhookAnswer]:
    """Change the fields that the body has."""
    values, actor, rev = sent_fields(data), actor_of(request), expected_rev(if_match)
    del values["skip"]
    if isinstance(data.url, str):
        require_allowed(request.shared.settings.api, data.url)

    def work(session: Session) -> schemas.WebhookOut:
        endpoints.edit(session, webhook_id, values, actor, expected_rev=rev, skip=data.skip)
        return _read(session, webhook_id)

    return _answer(await transaction.write(request, work))


@delete(_ONE, summary="Delete a webhook", opt={"roles": OPS, "errors": ("not_found",)})
async def delete_webhook(request: ApiRequest, webhook_id: Id, if_match: IfMatch = None) -> None:
    """Delete an endpoint with its log."""
    actor, rev = actor_of(request), expected_rev(if_match)
    await transaction.write(request, lambda s: endpoints.delete(s, webhook_id, actor, expected_rev=rev))


@post(
    f"{_ONE}/rotate",
    operation_id="rotateWebhookSecret",
    status_code=200,
    summary="Give a webhook another secret",
    description="For overlapHours (24) its messages are signed with both. The new secret is shown only now.",
    opt={"roles": OPS, "errors": ("not_found",)},
)
async def rotate_secret(
    request: ApiRequest, webhook_id: Id, data: JSONBody[schemas.RotateIn]
) -> JsonResponse[schemas.WebhookSecretAnswer]:
    """Rotate the secret of an endpoint."""
    actor, key = actor_of(request), _key(request)

    def work(session: Session) -> schemas.WebhookSecretAnswer:
        _, secret = endpoints.rotate(session, webhook_id, key, actor, overlap_hours=data.overlap_hours)
        return schemas.WebhookSecretAnswer(data=_read(session, webhook_id), secret=secret)

    found = await transaction.write(request, work)
    return JsonResponse(found, etag=etag_of(found.data.rev))


@post(
    f"{_ONE}/test",
    operation_id="testWebhook",
    status_code=202,
    summary="Send a webhook a test",
    description="A message webhook.test, also to a disabled webhook. Follow it at its Location.",
    opt={"roles": OPS, "errors": ("not_found", "conflict")},
)
async def send_test(request: ApiRequest, webhook_id: Id) -> JsonResponse[schemas.DeliveryAnswer]:
    """Queue a test."""
    actor = actor_of(request)
    return await _queued(request, lambda s: endpoints.queue_test(s, webhook_id, actor))


@get(
    _LOG,
    operation_id="listWebhookDeliveries",
    summary="What was sent to a webhook",
    description="Attempts, the newest first (before, limit ≤ 100). The newest 1,000 of the last 30 days are kept.",
    opt={"roles": OPS, "errors": ("not_found",)},
)
async def list_deliveries(
    request: ApiRequest, webhook_id: Id, before: BeforeId = None, limit: Limit = DEFAULT_LIMIT
) -> JsonResponse[schemas.DeliveryList]:
    """List deliveries of an endpoint."""

    def work(session: Session) -> schemas.DeliveryList:
        if session.get(WebhookEndpoint, webhook_id) is None:
            raise NotFound("webhook", webhook_id)
        rows = session.scalars(queries.deliveries(webhook_id, before, limit + 1)).all()
        found = [schemas.delivery_out(row) for row in rows]
        return schemas.DeliveryList(data=found[:limit], meta=list_meta(limit, [each.id for each in found]))

    return JsonResponse(await transaction.read(request, work))


@get(
    f"{_LOG}/{{delivery_id:int}}",
    operation_id="getWebhookDelivery",
    summary="A delivery",
    opt={"roles": OPS, "errors": ("not_found",)},
)
async def get_delivery(
    request: ApiRequest, webhook_id: Id, delivery_id: Id
) -> JsonResponse[schemas.DeliveryAnswer]:
    """Return a delivery."""

    def work(session: Session) -> schemas.DeliveryAnswer:
        row = session.get(WebhookDelivery, delivery_id)
        if row is None or row.endpoint_id != webhook_id:
            raise NotFound("delivery", delivery_id)
        return schemas.DeliveryAnswer(data=schemas.delivery_out(row))

    return JsonResponse(await transaction.read(request, work))


@post(
    f"{_LOG}/{{delivery_id:int}}/send-again",
    operation_id="sendWebhookAgain",
    status_code=202,
    summary="Send a message again",
    description="With the same webhook-id, and what the program is now. Follow it at its Location.",
    opt={"roles": OPS, "errors": ("not_found", "conflict")},
)
async def send_again(
    request: ApiRequest, webhook_id: Id, delivery_id: Id
) -> JsonResponse[schemas.DeliveryAnswer]:
    """Queue a message once more."""
    actor = actor_of(request)
    return await _queued(request, lambda s: endpoints.send_again(s, webhook_id, delivery_id, actor))


async def _queued(
    request: ApiRequest, queue: Callable[[Session], WebhookDelivery]
) -> JsonResponse[schemas.DeliveryAnswer]:
    def work(session: Session) -> tuple[schemas.DeliveryOut, int]:
        row = queue(session)
        return schemas.delivery_out(row), row.endpoint_id

    found, webhook_id = await transaction.write(request, work)
    location = f"/ops/webhooks/{webhook_id}/deliveries/{found.id}"
    return JsonResponse(schemas.DeliveryAnswer(data=found), location=location)


HANDLERS = [
    list_webhooks,
    create_webhook,
    get_webhook,
    edit_webhook,
    delete_webhook,
    rotate_secret,
    send_test,
    list_deliveries,
    get_delivery,
    send_again,
]
