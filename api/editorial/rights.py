"""What the sender of a request may change without a reviewer: asked by every route that changes what listeners see."""

from api.http.auth import REVIEWERS
from api.http.request import ApiRequest
from catalog.review.rights import Rights


def rights_of(request: ApiRequest) -> Rights:
    """Return the rights of the sender; `REVIEW_DIRECT_FIELDS` names what needs no review."""
    may_publish = bool(request.user.roles & set(REVIEWERS))
    return Rights(may_publish, request.shared.settings.api.direct_fields)
